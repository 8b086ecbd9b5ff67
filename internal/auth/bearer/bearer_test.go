package bearer_test

import (
	"errors"
	"testing"

	"github.com/securecart/hub/internal/auth/bearer"
)

func TestToken(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		want    string
		err     error
	}{
		"no header":               {nil, "", nil},
		"an empty header":         {[]string{""}, "", nil},
		"blanks":                  {[]string{" \t "}, "", nil},
		"Bearer":                  {[]string{"Bearer e30.e30.c2ln"}, "e30.e30.c2ln", nil},
		"small letters":           {[]string{"bearer e30.e30.c2ln"}, "e30.e30.c2ln", nil},
		"capitals":                {[]string{"BEARER e30.e30.c2ln"}, "e30.e30.c2ln", nil},
		"several blanks":          {[]string{" Bearer \t e30.e30.c2ln "}, "e30.e30.c2ln", nil},
		"without a scheme":        {[]string{"e30.e30.c2ln"}, "e30.e30.c2ln", nil},
		"a scheme alone":          {[]string{"Bearer"}, "", nil},
		"a scheme and a blank":    {[]string{"bearer "}, "", nil},
		"a token like the scheme": {[]string{"Bearer bearer"}, "bearer", nil},
		"a colon":                 {[]string{"Bearer:e30.e30.c2ln"}, "Bearer:e30.e30.c2ln", nil}, // no verifier takes it
		"another scheme":          {[]string{"Basic YW5uOmFubg=="}, "", bearer.ErrMalformed},
		"a scheme of a library":   {[]string{"JWT e30.e30.c2ln"}, "", bearer.ErrMalformed},
		"two words":               {[]string{"Bearer e30.e30.c2ln e30"}, "", bearer.ErrMalformed},
		"two headers":             {[]string{"Bearer e30.e30.c2ln", "Bearer e30.e30.c2ln"}, "", bearer.ErrMalformed},
		"two joined headers":      {[]string{"e30.e30.c2ln,e30.e30.c2ln"}, "", bearer.ErrMalformed},
	} {
		got, err := bearer.Token(tt.headers...)
		if got != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%s: got %q, %v, want %q, %v", name, got, err, tt.want, tt.err)
		}
	}
}
