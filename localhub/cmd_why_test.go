package main

import "testing"

// TestWhyWord asks about another connection.
func TestWhyWord(t *testing.T) {
	hub := start(t)
	conn := dial(t, hub.socket, nil)
	ask(t, conn, "sub MUG")
	hub.putStock(t, `{"available":3}`) // of another item
	id := hub.onlyConnection(t)
	const unchanged = "nothing changed since you subscribed"
	runProcesses(t, map[string]process{
		"of a connection": {
			args: hub.words("why", "MUG", "-conn", id), stdout: id + "\nsku:MUG  v1  in\n" + unchanged + "\n",
		},
		"in JSON": {
			args:   hub.words("why", "MUG", "-conn", id, "-o", "json"),
			stdout: `{"type":"why",…,"reason":"unchanged","message":"` + unchanged + "\"}\n",
		},
		"not subscribed": {
			args:   hub.words("why", "TEE-RED-M", "-conn", id),
			stdout: id + "\nsku:TEE-RED-M  v2  low 3\nnot subscribed: sub TEE-RED-M\n",
		},
		"itself": {
			args:   hub.words("why", "-conn", id),
			stdout: id + "\nconnection\n1 topic, nothing is missing; why TOPIC says more\n",
		},
		"nobody": {
			args: hub.words("why", "MUG"), status: 2,
			stderr: "localhub: name a client: -conn ID, or -user NAME",
		},
		"both": {
			args: hub.words("why", "MUG", "-conn", id, "-user", "a"), status: 2, stderr: "localhub: name a client",
		},
		"gone": {
			args: hub.words("why", "MUG", "-conn", "x"), status: 1,
			stderr: "localhub: no such connection",
		},
		"no connection": {
			args: hub.words("why", "MUG", "-user", "bob"), status: 1,
			stderr: "localhub: bob has no connection",
		},
		"no topic": {
			args: hub.words("why", "nonsense:", "-conn", id), status: 2,
			stderr: "localhub: ",
		},
		"no hub": {
			args: []string{"why", "-user", "a", "-admin", unusedAddress(t)}, status: 1,
			stderr: "localhub: no localhub",
		},
	})
}
