package gcptest

import (
	"fmt"
	"hash/crc32"
	"regexp"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The limits, by the reference of the resources Secret and SecretVersion.
const (
	maxPayload     = 64 * 1024
	maxAnnotations = 16 * 1024
	maxAliases     = 50
	maxLabels      = 64
)

// secret is one secret with its versions; the first has number 1.
type secret struct {
	meta     *secretmanagerpb.Secret
	versions []*version
}

type version struct {
	meta *secretmanagerpb.SecretVersion
	data []byte
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) timestamp() *timestamppb.Timestamp {
	if s.Quirks.NoCreateTimes {
		return nil
	}
	return timestamppb.New(s.now().Truncate(time.Microsecond))
}

// etag gives a new one, in quotes as the real service's are.
func (s *Server) etag() string {
	switch {
	case s.Quirks.NoEtags:
		return ""
	case s.Quirks.FixedEtags:
		return `"164d6251ef2243"`
	}
	s.etags++
	return fmt.Sprintf("%q", strconv.FormatInt(0x164d6251ef2243+s.etags, 16))
}

// canonical puts the project's number into a name.
func canonical(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) > 1 && parts[0] == "projects" && parts[1] == Project {
		parts[1] = ProjectNumber
	}
	return strings.Join(parts, "/")
}

// find gives a secret by its name; the caller holds the lock.
func (s *Server) find(name string) (*secret, error) {
	sec, ok := s.secrets[canonical(name)]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "Secret [%s] not found.", canonical(name))
	}
	return sec, nil
}

// findVersion gives a version by number, "latest" or, where that is allowed, by
// an alias; the caller holds the lock.
func (s *Server) findVersion(name string, aliases bool) (*secret, *version, error) {
	secretName, which, ok := strings.Cut(name, "/versions/")
	if !ok {
		return nil, nil, status.Errorf(codes.InvalidArgument, "The name [%s] is not that of a version.", name)
	}
	sec, found := s.secrets[canonical(secretName)]
	if which == "latest" && (!found || len(sec.versions) == 0) {
		return nil, nil, status.Errorf(codes.NotFound, "Secret [%s] not found or has no versions.", canonical(secretName))
	}
	if !found {
		return nil, nil, status.Errorf(codes.NotFound, "Secret [%s] not found.", canonical(secretName))
	}
	number := sec.resolve(which, aliases)
	if number < 1 || number > int64(len(sec.versions)) {
		return nil, nil, status.Errorf(codes.NotFound, "Secret Version [%s] not found.", canonical(name))
	}
	return sec, sec.versions[number-1], nil
}

// resolve gives the number that a text stands for; 0 for none.
func (sec *secret) resolve(which string, aliases bool) int64 {
	if which == "latest" {
		return int64(len(sec.versions))
	}
	if number, err := strconv.ParseInt(which, 10, 64); err == nil {
		return number
	}
	if aliases {
		return sec.meta.GetVersionAliases()[which]
	}
	return 0
}

// add puts a version on top; the caller holds the lock.
func (s *Server) add(sec *secret, data []byte, checked bool) *version {
	meta := &secretmanagerpb.SecretVersion{
		Name:       fmt.Sprintf("%s/versions/%d", sec.meta.GetName(), len(sec.versions)+1),
		CreateTime: s.timestamp(), State: secretmanagerpb.SecretVersion_ENABLED, Etag: s.etag(),
		ReplicationStatus:              replicationStatus(sec.meta),
		ClientSpecifiedPayloadChecksum: checked && !s.Quirks.NoChecksums,
	}
	v := &version{meta: meta, data: append([]byte(nil), data...)}
	sec.versions = append(sec.versions, v)
	return v
}

func replicationStatus(meta *secretmanagerpb.Secret) *secretmanagerpb.ReplicationStatus {
	if meta.GetReplication().GetAutomatic() == nil {
		return nil
	}
	return &secretmanagerpb.ReplicationStatus{ReplicationStatus: &secretmanagerpb.ReplicationStatus_Automatic{
		Automatic: &secretmanagerpb.ReplicationStatus_AutomaticStatus{},
	}}
}

func crc32c(data []byte) int64 {
	return int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}

// stale tells whether a request's etag is not the present one.
func (s *Server) stale(given, present, what string) error {
	if given == "" || given == present || s.Quirks.IgnoreEtags {
		return nil
	}
	code := codes.FailedPrecondition
	if s.Quirks.AbortStale {
		code = codes.Aborted
	}
	return status.Errorf(code, "The etag of [%s] does not match the one provided.", what)
}

// checkSecret refuses what a secret may not have.
func (sec *secret) check(meta *secretmanagerpb.Secret) error {
	if err := checkAnnotations(meta.GetAnnotations()); err != nil {
		return err
	}
	if err := checkLabels(meta.GetLabels()); err != nil {
		return err
	}
	return sec.checkAliases(meta.GetVersionAliases())
}

func checkAnnotations(annotations map[string]string) error {
	size := 0
	for k, v := range annotations {
		size += len(k) + len(v)
		if !isAnnotationKey(k) {
			return status.Errorf(codes.InvalidArgument, "The annotation key [%s] is invalid.", k)
		}
	}
	if size >= maxAnnotations {
		return status.Errorf(codes.InvalidArgument, "The annotations have %d bytes, less than %d are allowed.", size, maxAnnotations)
	}
	return nil
}

// isAnnotationKey: 1 to 63 letters, digits, "-", "_" and ".", the first and the
// last a letter or a digit.
func isAnnotationKey(k string) bool {
	edge := func(b byte) bool { return isLetter(b) || isDigit(b) }
	return onlyOf(k, "-_.") && edge(k[0]) && edge(k[len(k)-1])
}

// isAlias: 1 to 63 letters, digits, "-" and "_", the first a letter.
func isAlias(a string) bool {
	return onlyOf(a, "-_") && isLetter(a[0]) && a != "latest" && a != "NEW"
}

// onlyOf tells whether s is 1 to 63 letters, digits and others long.
func onlyOf(s, others string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) && !strings.Contains(others, s[i:i+1]) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 63
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func checkLabels(labels map[string]string) error {
	if len(labels) == 0 {
		return nil
	}
	key := regexp.MustCompile(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`)
	value := regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`)
	for k, v := range labels {
		if !key.MatchString(k) || !value.MatchString(v) {
			return status.Errorf(codes.InvalidArgument, "The label [%s: %s] is invalid.", k, v)
		}
	}
	if len(labels) > maxLabels {
		return status.Errorf(codes.InvalidArgument, "There are %d labels, %d are allowed.", len(labels), maxLabels)
	}
	return nil
}

func (sec *secret) checkAliases(aliases map[string]int64) error {
	for alias, number := range aliases {
		switch {
		case !isAlias(alias):
			return status.Errorf(codes.InvalidArgument, "The version alias [%s] is invalid.", alias)
		case number < 1 || number > int64(len(sec.versions)):
			return status.Errorf(codes.InvalidArgument, "The version alias [%s] names version %d, which does not exist.", alias, number)
		}
	}
	if len(aliases) > maxAliases {
		return status.Errorf(codes.InvalidArgument, "There are %d version aliases, %d are allowed.", len(aliases), maxAliases)
	}
	return nil
}

func copyOf[M proto.Message](m M) M { return proto.Clone(m).(M) }
