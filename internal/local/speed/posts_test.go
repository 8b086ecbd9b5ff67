//go:build speed

package speed_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

// delta is what most posts send: 98 bytes.
const delta = `{"type":"delta","epoch":"k3","topics":{"sku:TEE-RED-M":{"version":43,"state":"low","quantity":2}}}`

// sdkPoster returns a function that posts through the AWS SDK with its defaults.
func sdkPoster(t *testing.T, s *server) func(id string) error {
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: aws.String("http://" + s.address + "/v1"), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	return func(id string) error {
		in := &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(delta)}
		_, err := client.PostToConnection(t.Context(), in)
		return err
	}
}

// plainPoster returns a function that posts without an HTTP client, which would cost more
// than the servers.
func plainPoster(t *testing.T, s *server) func(id string) error {
	idle := sync.Pool{New: func() any {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { conn.Close() })
		return &client{Conn: conn, r: bufio.NewReader(conn)}
	}}
	return func(id string) error {
		c := idle.Get().(*client)
		defer idle.Put(c)
		id = strings.ReplaceAll(id, "=", "%3D")
		fmt.Fprintf(c, "POST /v1/@connections/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s",
			id, s.address, len(delta), delta)
		resp, err := http.ReadResponse(c.r, nil)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("post to %s: %s", id, resp.Status)
		}
		return err
	}
}
