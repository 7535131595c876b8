package detect

// runtimeChecks judge the TLS libraries under the clients.
var runtimeChecks = []*Check{}
