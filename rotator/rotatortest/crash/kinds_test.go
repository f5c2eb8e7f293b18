//go:build linux && amd64

package crash

import (
	"net/http"
	"strings"
	"syscall"
)

func kinds() []kind {
	return []kind{
		{"GCP", openGoogle, refusalsOfGoogle()},
		{"file", openFolders, []refusal{
			{"EACCES", int(syscall.EACCES), ""}, {"EIO", int(syscall.EIO), ""}, {"ENOSPC", int(syscall.ENOSPC), ""},
		}},
		{"AWS", openAmazon, []refusal{
			{"403", http.StatusBadRequest, "AccessDeniedException"},
			{"500", http.StatusInternalServerError, "InternalServiceError"},
			{"503", http.StatusServiceUnavailable, "ServiceUnavailable"},
			{"throttled", http.StatusBadRequest, "ThrottlingException"},
			{"connection reset", reset, ""},
		}},
		{"Kubernetes", openCluster, []refusal{
			{"403", http.StatusForbidden, "Forbidden"},
			{"500", http.StatusInternalServerError, "InternalError"},
			{"503", http.StatusServiceUnavailable, "ServiceUnavailable"},
			{"429", http.StatusTooManyRequests, "TooManyRequests"},
			{"connection reset", reset, ""},
		}},
	}
}

// bySecret names both secrets' calls apart.
func bySecret(text string) string {
	if strings.Contains(text, inB) {
		return "b"
	}
	return "a"
}
