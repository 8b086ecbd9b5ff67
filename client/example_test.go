package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/local/house"
)

// newHub starts a hub in memory, for the examples. A program sets Options.URL instead of
// Options.Dial.
func newHub() (o client.Options, stop func()) {
	h, err := house.New(house.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return client.Options{Dial: h.Dial}, func() { _ = h.Close() }
}

func ExampleConnect() {
	o, stop := newHub()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := client.Connect(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println(c.Identity().Role)
	// Output: guest
}

// Follow some items. An item that does not exist is refused, and the others are followed.
func ExampleClient_Subscribe() {
	o, stop := newHub()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	err = c.Subscribe(ctx, "sku:MUG", "sku:NO-SUCH-THING")
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Topic, refused.Code)
	}
	s := c.State("sku:MUG")
	fmt.Println(s.Topic, s.Word, s.Badge.State)
	// Output:
	// sku:NO-SUCH-THING denied
	// sku:MUG live in
}

// Watch yields what is known at once, and then each change.
func ExampleClient_Watch() {
	o, stop := newHub()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	for s := range c.Watch(ctx, "cart") {
		switch {
		case s.Word == client.Unknown:
			go func() { _, _ = c.Add(ctx, "MUG", 2) }()
		case s.Cart.Lines["MUG"].Quantity == 2:
			fmt.Println("two mugs")
			return
		}
	}
	// Output: two mugs
}

// Set with the cart that a person saw is a conflict if another device changed the line.
func ExampleClient_Set() {
	o, stop := newHub()
	defer stop()
	ctx := context.Background()
	c, err := client.Connect(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	seen, err := c.Get(ctx, "cart")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Add(ctx, "MUG", 2); err != nil { // another device, perhaps
		log.Fatal(err)
	}
	_, err = c.Set(ctx, map[string]int{"MUG": 5}, seen.Cart)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Code == client.CodeConflict {
		fmt.Println("the cart has", refused.Lines["MUG"].Quantity)
	}
	// Output: the cart has 2
}
