package host

import (
	"testing"

	"github.com/securecart/hub/internal/local/template/samapi"
)

func TestCheckServices(t *testing.T) {
	for name, tt := range map[string]struct {
		calls    []string
		services map[string]string
		want     string
	}{
		"none":             {nil, nil, ""},
		"without endpoint": {[]string{"dynamodb"}, nil, ""},
		"known":            {[]string{"dynamodb", "sqs"}, map[string]string{"sqs": "http://127.0.0.1:9324/x"}, ""},
		"not called": {[]string{"dynamodb", "sqs"}, map[string]string{"sns": "http://127.0.0.1"},
			"-service sns: the API calls only dynamodb, sqs"},
		"no service at all": {nil, map[string]string{"sns": "http://127.0.0.1"},
			"-service sns: the API calls no AWS service itself"},
		"no URL": {[]string{"sqs"}, map[string]string{"sqs": "ann:PASS@127.0.0.1:9324"},
			"-service sqs=xxxxx@127.0.0.1:9324: must be http://HOST or https://HOST"},
		"several": {[]string{"sns"}, map[string]string{"sqs": "http://h", "sns": "h"},
			"-service sns=h: must be http://HOST or https://HOST\n-service sqs: the API calls only sns"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &Host{opts: Options{Services: tt.services}, api: &samapi.Result{Services: tt.calls}}
			got := ""
			if err := h.checkServices(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
