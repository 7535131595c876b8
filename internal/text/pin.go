package text

var pinTexts = map[string]entry{}
