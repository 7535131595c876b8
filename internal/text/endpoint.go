package text

var endpointTexts = map[string]entry{}
