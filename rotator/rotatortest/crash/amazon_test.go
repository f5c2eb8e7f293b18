//go:build linux && amd64

package crash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

// amazon is AWS Secrets Manager.
type amazon struct {
	server *awstest.Server
	url    string
}

func openAmazon(w *world) site {
	a := &amazon{server: awstest.New(nil)}
	a.url = door{w.desk, labelOfAmazon, a.server, refuseAsAmazon}.open(w.T)
	return a
}

func labelOfAmazon(r *http.Request, body []byte) string {
	var q struct{ SecretId, Name, VersionStage, MoveToVersionId string }
	_ = json.Unmarshal(body, &q) // what is wrong with it, the service says
	label := "aws " + strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.") + " " + bySecret(q.SecretId+q.Name)
	if kind, _, ours := strings.Cut(strings.TrimPrefix(q.VersionStage, "rotator/"), "/"); ours || q.VersionStage != "" {
		label += " " + kind
	}
	return label
}

func refuseAsAmazon(w http.ResponseWriter, f refusal) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(f.code)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.text, "Message": "struck"})
}

func (a *amazon) stores() string {
	one := fmt.Sprintf("{kind: aws, region: %s, endpoint: %q, create_missing: true}", awstest.Region, a.url)
	return "  a: " + one + "\n  b: " + one
}

func (a *amazon) env() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

func (a *amazon) traced() bool { return false }

func (a *amazon) serves() map[string]string {
	inA, _ := a.server.Value(inA, "AWSCURRENT")
	inB, _ := a.server.Value(inB, "AWSCURRENT")
	return map[string]string{"AWSCURRENT of store a": inA, "AWSCURRENT of store b": inB}
}

// remains: AWS itself forgets versions that bear no label.
func (a *amazon) remains() (left []string) {
	for _, secret := range []string{inA, inB} {
		labels, _, _ := a.server.Look(secret)
		for version, on := range labels {
			if len(on) > 0 && !slices.Contains(on, "AWSCURRENT") {
				left = append(left, fmt.Sprintf("version %s of %s: %v", version, secret, on))
			}
		}
	}
	return left
}
