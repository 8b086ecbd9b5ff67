package gatewaytest

// Domain is a custom domain with one API mapping. Requests whose Host is Name
// find the API at /{BasePath} and the management of connections at
// /{BasePath}/@connections/{id}, both without the stage (G-DOMAIN-1, G-MGMT-15).
// Any other path there is refused with 403 (G-DOMAIN-5). Events have the domain
// as domainName and the stage's own name as stage (G-DOMAIN-4).
type Domain struct {
	// Name is the host name, without a port.
	Name string

	// BasePath is the mapping key: letters, digits and $-_.+!*'(), at most 300
	// of them (G-DOMAIN-2). Empty: the domain's root.
	BasePath string
}
