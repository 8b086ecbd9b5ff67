package apigw_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config() aws.Config {
	return aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", "")}
}

// TestPoster runs the suite for posters with the SDK against a gateway over HTTP,
// which checks the SDK's signatures (G-MGMT-2).
func TestPoster(t *testing.T) {
	hubtest.TestPoster(t, func(t *testing.T) hubtest.PosterFixture {
		g, err := gatewaytest.New(gatewaytest.API{
			Credentials: []gatewaytest.Credential{{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(g)
		client := apigw.Client(config(), server.URL+"/v1")
		t.Cleanup(func() {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			client.Options().HTTPClient.(*awshttp.BuildableClient).GetTransport().CloseIdleConnections()
			server.Close()
		})
		known := map[string]bool{}
		return hubtest.PosterFixture{
			Poster: apigw.New(client, apigw.Options{Reserve: time.Millisecond}),
			Connect: func() (string, string, func(int) []string) {
				conn, _, err := g.Dial(t.Context(), "/v1", nil)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.CloseNow() })
				var id string
				for _, c := range g.Connections() {
					if !known[c.ConnectionID] {
						id = c.ConnectionID
					}
				}
				known[id] = true
				return id, "", func(n int) []string { return receive(t, conn, n) }
			},
			Fail: func(id string, kind error, times int) {
				answer := gatewaytest.ErrInternal
				switch {
				case errors.Is(kind, hub.ErrGone):
					answer = gatewaytest.ErrGone
				case errors.Is(kind, hub.ErrThrottled):
					answer = gatewaytest.ErrLimitExceeded
				}
				for range times {
					g.FailNext(id, answer)
				}
			},
		}
	})
}

func receive(t *testing.T, conn *websocket.Conn, n int) []string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var texts []string
	for range n {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Errorf("after %d messages: %v", len(texts), err)
			return texts
		}
		texts = append(texts, string(data))
	}
	return texts
}

// fakeAPI is a management API with a scripted answer.
type fakeAPI struct {
	mu     sync.Mutex
	sent   []string
	answer func(ctx context.Context, id string) error
}

func (s *fakeAPI) PostToConnection(
	ctx context.Context, in *apigatewaymanagementapi.PostToConnectionInput,
	_ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.PostToConnectionOutput, error) {
	s.mu.Lock()
	s.sent = append(s.sent, *in.ConnectionId)
	s.mu.Unlock()
	if err := s.answer(ctx, *in.ConnectionId); err != nil {
		return nil, err
	}
	return &apigatewaymanagementapi.PostToConnectionOutput{}, nil
}

func (s *fakeAPI) DeleteConnection(
	ctx context.Context, in *apigatewaymanagementapi.DeleteConnectionInput,
	_ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.DeleteConnectionOutput, error) {
	return nil, s.answer(ctx, *in.ConnectionId)
}

func status(code int) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}},
		Err:      fmt.Errorf("status %d", code),
	}}
}

func posts(n int) []hub.Post {
	all := make([]hub.Post, n)
	for i := range all {
		all[i] = hub.Post{ConnectionID: fmt.Sprintf("c%04d", i), Data: []byte("x")}
	}
	return all
}

func TestSlowConnectionDoesNotDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{answer: func(ctx context.Context, id string) error {
			pause := 10 * time.Millisecond
			if id == "c0000" {
				pause = time.Hour
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
				return nil
			}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		errs := apigw.New(api, apigw.Options{MaxWorkers: 4}).Post(ctx, posts(100))
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("it took %s, want it to end 2 s before the deadline", took)
		}
		for i, err := range errs {
			if (err != nil) != (i == 0) {
				t.Errorf("post %d: got %v", i, err)
			}
		}
	})
}

func TestForbiddenStops(t *testing.T) {
	api := &fakeAPI{answer: func(context.Context, string) error { return status(403) }}
	errs := apigw.New(api, apigw.Options{MaxWorkers: 2}).Post(t.Context(), posts(1_000))
	for i, err := range errs {
		if !errors.Is(err, hub.ErrForbidden) {
			t.Fatalf("post %d: got %v, want ErrForbidden", i, err)
		}
	}
	if n := len(api.sent); n > 4 {
		t.Errorf("%d posts were sent, want it to stop at once", n)
	}
}

func TestKinds(t *testing.T) {
	for code, want := range map[int]error{
		410: hub.ErrGone, 429: hub.ErrThrottled, 413: hub.ErrTooLarge, 403: hub.ErrForbidden,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := apigw.New(&fakeAPI{answer: func(context.Context, string) error { return status(code) }}, apigw.Options{})
			if errs := p.Post(t.Context(), posts(1)); !errors.Is(errs[0], want) {
				t.Errorf("%d: got %v, want %v", code, errs[0], want)
			}
		})
	}
	p := apigw.New(&fakeAPI{answer: func(context.Context, string) error { return status(500) }}, apigw.Options{})
	for _, kind := range []error{hub.ErrGone, hub.ErrThrottled, hub.ErrTooLarge, hub.ErrForbidden} {
		if errs := p.Post(t.Context(), posts(1)); errs[0] == nil || errors.Is(errs[0], kind) {
			t.Errorf("500: got %v, want another error", errs[0])
		}
	}
}

// timedAPI is a management API that accepts every post, and records when.
type timedAPI struct {
	fakeAPI
	began time.Time
	times []time.Duration // since began, guarded by fakeAPI.mu
}

func newTimedAPI() *timedAPI {
	a := &timedAPI{began: time.Now()}
	a.answer = func(context.Context, string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.times = append(a.times, time.Since(a.began))
		return nil
	}
	return a
}

// most returns the largest number of posts within any span of that length.
func (a *timedAPI) most(span time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.times)
	most, first := 0, 0
	for last := range a.times {
		for a.times[last]-a.times[first] >= span {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// TestBudget checks the rate of posts to the millisecond: a burst of a tenth of a
// second, then the budget, and no larger burst after an idle hour.
func TestBudget(t *testing.T) {
	for _, budget := range []int{20, 100, 800} {
		synctest.Test(t, func(t *testing.T) {
			api := newTimedAPI()
			p := apigw.New(api, apigw.Options{PostsPerSecond: budget})
			for _, pause := range []time.Duration{0, time.Hour} {
				time.Sleep(pause)
				began := time.Now()
				errs := p.Post(t.Context(), posts(10*budget))
				if err := errors.Join(errs...); err != nil || len(errs) != 10*budget {
					t.Fatalf("%d results for %d posts, %v", len(errs), 10*budget, err)
				}
				if took := time.Since(began).Round(time.Millisecond); took != 9900*time.Millisecond {
					t.Errorf("%d posts at %d/s took %s, want 9.9 s: a burst of 100 ms and the rest", 10*budget, budget, took)
				}
			}
			if n := len(api.times); n != 20*budget {
				t.Errorf("%d posts were sent, want %d", n, 20*budget)
			}
			for span, want := range map[time.Duration]int{
				time.Millisecond: budget/10 + 1, time.Second: budget + budget/10,
			} {
				if got := api.most(span); got < budget/10 || got > want {
					t.Errorf("at %d/s %d posts within %s, want at most %d", budget, got, span, want)
				}
			}
		})
	}
}

// TestNoBudget checks that without a budget nothing waits.
func TestNoBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTimedAPI()
		if err := errors.Join(apigw.New(api, apigw.Options{}).Post(t.Context(), posts(1_000))...); err != nil {
			t.Fatal(err)
		}
		if got := api.most(time.Nanosecond); got != 1_000 {
			t.Errorf("%d of 1 000 posts went at once, want all", got)
		}
	})
}

// TestThrottledServiceSlowsDown checks that the rate goes down if many posts are
// throttled, until the service keeps up, and not if only one is.
func TestThrottledServiceSlowsDown(t *testing.T) {
	rate := func(t *testing.T, throttled func(n int64, id string) bool) time.Duration {
		var took time.Duration
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			broken := true
			api := &fakeAPI{answer: func(_ context.Context, id string) error {
				if broken && throttled(n.Add(1), id) {
					return status(429)
				}
				return nil
			}}
			p := apigw.New(api, apigw.Options{PostsPerSecond: 1_000})
			p.Post(t.Context(), posts(1_000))
			broken = false
			began := time.Now()
			p.Post(t.Context(), posts(1_000))
			took = time.Since(began)
		})
		return took
	}
	service := rate(t, func(n int64, _ string) bool { return n%2 == 0 })
	client := rate(t, func(_ int64, id string) bool { return id == "c0007" })
	if client > 1300*time.Millisecond || service < 2*client {
		t.Errorf("after a throttled service 1 000 posts took %s, after a throttled client %s", service, client)
	}
}

// TestRetryPauses checks when a post that stays throttled is tried again.
func TestRetryPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTimedAPI()
		accept := api.answer
		api.answer = func(ctx context.Context, id string) error { return errors.Join(accept(ctx, id), status(429)) }
		errs := apigw.New(api, apigw.Options{}).Post(t.Context(), posts(1))
		want := []time.Duration{0, 50 * time.Millisecond, 250 * time.Millisecond}
		if !errors.Is(errs[0], hub.ErrThrottled) || !slices.Equal(api.times, want) {
			t.Errorf("got %v after tries at %v, want throttled after %v", errs[0], api.times, want)
		}
	})
}

// TestInitialRate checks the rate without a budget once the service has throttled:
// some 1 000 posts a second.
func TestInitialRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		api := &fakeAPI{answer: func(context.Context, string) error {
			if n.Add(1) <= 200 { // one window
				return status(429)
			}
			return nil
		}}
		p := apigw.New(api, apigw.Options{})
		p.Post(t.Context(), posts(200))
		began := time.Now()
		if err := errors.Join(p.Post(t.Context(), posts(1_000))...); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 700*time.Millisecond || took > time.Second {
			t.Errorf("1 000 posts took %s, want a little less than a second", took)
		}
	})
}

// TestRateRecovers checks that the rate grows back from the minimum within seconds,
// not after a window of results at ten a second.
func TestRateRecovers(t *testing.T) {
	for _, budget := range []int{0, 5_000} {
		synctest.Test(t, func(t *testing.T) {
			broken := true
			api := &fakeAPI{answer: func(context.Context, string) error {
				if broken {
					return status(429)
				}
				return nil
			}}
			p := apigw.New(api, apigw.Options{PostsPerSecond: budget})
			for range 3 {
				p.Post(t.Context(), posts(1_000))
			}
			broken = false
			began := time.Now()
			p.Post(t.Context(), posts(1_000))
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("budget %d: 1 000 posts took %s afterwards", budget, took)
			}
		})
	}
}

// TestCallbackURLs checks the URLs of a stage, and of a custom domain with and
// without a path.
func TestCallbackURLs(t *testing.T) {
	for _, path := range []string{"/v1", "", "/live/v1"} {
		var got, signature string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, signature = r.URL.EscapedPath(), r.Header.Get("Authorization")
		}))
		client := apigw.Client(config(), server.URL+path)
		errs := apigw.New(client, apigw.Options{}).Post(
			t.Context(), []hub.Post{{ConnectionID: "L0SM9cOFvHcCIhw=", Data: []byte("x")}},
		)
		if want := path + "/@connections/L0SM9cOFvHcCIhw%3D"; errs[0] != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, errs[0], want)
		}
		if !strings.HasPrefix(signature, "AWS4-HMAC-SHA256 Credential=AKID/") ||
			!strings.Contains(signature, "/eu-central-1/execute-api/aws4_request") {
			t.Errorf("got signature %q, want one of version 4 for execute-api", signature)
		}
		client.Options().HTTPClient.(*awshttp.BuildableClient).GetTransport().CloseIdleConnections()
		server.Close()
	}
}
