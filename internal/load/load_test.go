package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/load"
	"github.com/securecart/hub/internal/local/house"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put calls the admin API of a house in this process.
func put(h *house.House) func(context.Context, string, any) ([]byte, error) {
	return func(ctx context.Context, sku string, change any) ([]byte, error) {
		body, err := json.Marshal(change)
		if err != nil {
			return nil, err
		}
		address := "http://127.0.0.1:8788/admin/stock/" + sku
		r := httptest.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
		r.RemoteAddr = "127.0.0.1:50000"
		rec := httptest.NewRecorder()
		h.Admin().ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			return nil, fmt.Errorf("status %d: %s", rec.Code, rec.Body)
		}
		return rec.Body.Bytes(), nil
	}
}

// measure runs a load against a house, in a synctest bubble. spoil may change the options.
func measure(t *testing.T, o house.Options, spoil func(*load.Options)) (r load.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, err := house.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		options := load.Options{
			Connections: 20, SKUs: []string{"MUG", "CABLE-2M"}, Changes: 40, Every: 50 * time.Millisecond,
			Settle: 5 * time.Second,
			Dial: func(ctx context.Context) (*websocket.Conn, error) {
				conn, _, err := h.Dial(ctx, &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}})
				return conn, err
			},
			Change: load.AdminAPI(put(h)),
		}
		if spoil != nil {
			spoil(&options)
		}
		if r, err = load.Run(t.Context(), options); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

func TestFindsNothingInAHub(t *testing.T) {
	r := measure(t, house.Options{}, nil)
	if r.Deltas != 800 || r.Lost+r.Older+r.Invented > 0 || r.P99 <= 0 || r.P99 > time.Second {
		t.Errorf("got %+v", r)
	}
	if !strings.Contains(r.String(), "| 20 |") {
		t.Errorf("got %s", r)
	}
}

// TestFindsLostDeltas: a gateway says 410 for every post. (If only some fail, the hub heals them.)
func TestFindsLostDeltas(t *testing.T) {
	r := measure(t, house.Options{Gateway: house.Gateway{Faults: &gatewaytest.Faults{GoneEvery: 1}}}, nil)
	if r.Lost == 0 || r.Older+r.Invented > 0 {
		t.Errorf("got %d lost of %d deltas, %d older, %d invented, want lost ones", r.Lost, r.Deltas, r.Older, r.Invented)
	}
}

// TestFindsInventedValues: somebody else writes, too.
func TestFindsInventedValues(t *testing.T) {
	r := measure(t, house.Options{}, func(o *load.Options) {
		change := o.Change
		o.Change = func(ctx context.Context, sku string, available int) (load.Written, error) {
			if _, err := change(ctx, sku, 4); err != nil {
				return load.Written{}, err
			}
			time.Sleep(time.Second) // so that it is pushed alone
			synctest.Wait()
			return change(ctx, sku, available)
		}
	})
	if r.Invented == 0 || r.Lost+r.Older > 0 {
		t.Errorf("got %+v, want invented values", r)
	}
}

// TestFindsOlderVersions: a hub pushes each version, and then the one before it.
func TestFindsOlderVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type response = events.APIGatewayProxyResponse
		subscribe := func(context.Context, events.APIGatewayWebsocketProxyRequest) (response, error) {
			return response{StatusCode: 200, Body: `{"type":"snapshot","topics":{"sku:A":{"version":0,"state":"out"}}}`}, nil
		}
		gw, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {Integration: lambda.NewHandler(subscribe), RouteResponse: true},
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer gw.Close()
		version := int64(0)
		r, err := load.Run(t.Context(), load.Options{
			Connections: 1, SKUs: []string{"A"}, Changes: 5, Settle: time.Second,
			Dial: func(ctx context.Context) (*websocket.Conn, error) {
				conn, _, err := gw.Dial(ctx, "/v1", nil)
				return conn, err
			},
			Change: func(ctx context.Context, _ string, _ int) (load.Written, error) {
				version++
				var errs []error
				for _, v := range []int64{version, version - 1} {
					delta := fmt.Sprintf(`{"type":"delta","topics":{"sku:A":{"version":%d,"state":"in"}}}`, max(1, v))
					errs = append(errs, gw.PostToConnection(ctx, gw.Connections()[0].ConnectionID, []byte(delta)))
				}
				return load.Written{Version: version, State: "in"}, errors.Join(errs...)
			},
		})
		if err != nil || r.Older != 4 || r.Lost+r.Invented > 0 {
			t.Errorf("got %d older, %d lost, %d invented, %v, want 4 older", r.Older, r.Lost, r.Invented, err)
		}
	})
}

// TestRefusesItemsThatHideChanges: of some items people see the same at each figure.
func TestRefusesItemsThatHideChanges(t *testing.T) {
	for item, isRefused := range map[string]bool{
		`{"version":2,"lowAt":3}`:                  false,
		`{"version":2,"lowAt":3,"tracked":true}`:   false,
		`{"version":2,"lowAt":2}`:                  true,
		`{"version":2,"lowAt":3,"tracked":false}`:  true,
		`{"version":2,"lowAt":3,"backorder":true}`: true,
		`[]`: true,
	} {
		change := load.AdminAPI(func(context.Context, string, any) ([]byte, error) { return []byte(item), nil })
		if _, err := change(t.Context(), "A", 3); (err != nil) != isRefused {
			t.Errorf("%s: got %v", item, err)
		}
	}
}

// TestShowsProgress: each second says how far it is.
func TestShowsProgress(t *testing.T) {
	var all []load.Progress
	measure(t, house.Options{}, func(o *load.Options) {
		o.Progress = func(p load.Progress) { all = append(all, p) }
	})
	if len(all) < 2 || all[0].Connections != 20 || all[0].Changes >= all[1].Changes || all[0].Deltas == 0 {
		t.Errorf("got %+v", all)
	}
}

func TestNeedsOptions(t *testing.T) {
	if _, err := load.Run(t.Context(), load.Options{}); err == nil {
		t.Error("got no error")
	}
}
