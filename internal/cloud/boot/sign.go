package boot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// SignedTransport returns a transport for requests to an API of API Gateway that requires them
// signed (AWS_IAM). It signs with the rights of the function.
func (e Env) SignedTransport() http.RoundTripper { return signedTransport{e.AWS, v4.NewSigner()} }

type signedTransport struct {
	cfg    aws.Config
	signer *v4.Signer
}

// RoundTrip implements [http.RoundTripper]. The request has a body that can be read again.
func (t signedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, body)
	credentials, credentialsErr := t.cfg.Credentials.Retrieve(r.Context())
	if err := errors.Join(err, credentialsErr); err != nil {
		return nil, err
	}
	signed := r.Clone(r.Context())
	sum := hex.EncodeToString(hash.Sum(nil))
	err = t.signer.SignHTTP(r.Context(), credentials, signed, sum, "execute-api", t.cfg.Region, time.Now())
	if err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(signed)
}
