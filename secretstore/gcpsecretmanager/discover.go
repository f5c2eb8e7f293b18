package gcpsecretmanager

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/api/transport"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// discover has Google give a token for the Application Default Credentials: then they
// are accepted. What they may do is not asked.
func discover(ctx context.Context) (storekind.Discovery, error) {
	creds, err := transport.Creds(ctx, option.WithScopes(secretmanager.DefaultAuthScopes()...))
	if err == nil {
		_, err = creds.TokenSource.Token()
	}
	if err != nil {
		return storekind.Discovery{}, fmt.Errorf("gcpsecretmanager: %w", noCredentials(err))
	}
	var file struct {
		Email string `json:"client_email"`
		Quota string `json:"quota_project_id"`
	}
	_ = json.Unmarshal(creds.JSON, &file) // a machine at Google has no file
	project := cmp.Or(os.Getenv("GOOGLE_CLOUD_PROJECT"), creds.ProjectID, file.Quota)
	as := cmp.Or(file.Email, "the Application Default Credentials")
	if project != "" {
		as += ", project " + project
	}
	return storekind.Discovery{As: as, Settings: map[string]string{"project": project}}, nil
}
