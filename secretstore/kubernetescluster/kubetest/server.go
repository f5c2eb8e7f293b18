package kubetest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

// A Call is one request that arrived, in the words of RBAC.
type Call struct {
	Verb, Resource, Namespace, Name string
}

// Server keeps Secrets, Leases, Deployments, StatefulSets and ConfigMaps. Make one with [New].
type Server struct {
	// Denied are the verbs that are refused; to be set while no call is made.
	Denied map[string]bool
	// Echo repeats the request's body in messages of refusal, as a talkative
	// admission webhook may.
	Echo bool

	mu         sync.Mutex
	namespaces map[string]bool
	secrets    map[types.NamespacedName]*corev1.Secret
	objects    map[key]Object // of the other kinds
	revision   int            // the last resourceVersion given
	calls      []Call
}

var _ http.Handler = (*Server)(nil)

// New gives a server with the namespaces that are named.
func New(namespaces ...string) *Server {
	s := &Server{namespaces: map[string]bool{}, secrets: map[types.NamespacedName]*corev1.Secret{}, objects: map[key]Object{}}
	for _, n := range namespaces {
		s.namespaces[n] = true
	}
	return s
}

// Config leads a client to the server without a network.
func (s *Server) Config() *rest.Config {
	return &rest.Config{Host: "http://kubernetes.test", Transport: wire.Direct(s)}
}

// Calls lists the requests that arrived.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Secret gives a copy of a Secret; nil if it is not there.
func (s *Server) Secret(namespace, name string) *corev1.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[types.NamespacedName{Namespace: namespace, Name: name}].DeepCopy()
}

// Served gives the value of a data key as a pod reads it; "" if there is none.
func (s *Server) Served(namespace, name, key string) string {
	if sec := s.Secret(namespace, name); sec != nil {
		return string(sec.Data[key])
	}
	return ""
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connection is gone
	}
	if r.URL.Path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" && r.Method == http.MethodPost {
		reply(w, s.review(body))
		return
	}
	if k, name, ok := kindOf(r.URL.Path); ok {
		reply(w, s.serveObject(k, name, r.Method, body))
		return
	}
	m := regexp.MustCompile(`^/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?$`).FindStringSubmatch(r.URL.Path)
	if m == nil {
		reply(w, failure(http.StatusNotImplemented, "", "the stand-in does not know this path"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := request{name: types.NamespacedName{Namespace: m[1], Name: m[2]}, body: body, header: r.Header, manager: manager(r)}
	serve, verb := s.route(r.Method, q.name.Name != "")
	s.calls = append(s.calls, Call{Verb: verb, Resource: "secrets", Namespace: m[1], Name: m[2]})
	a := forbidden(verb, q.name)
	if !s.Denied[verb] {
		a = serve(q)
	}
	if st, failed := a.body.(*metav1.Status); failed && s.Echo && st.Status == metav1.StatusFailure {
		st.Message += ": " + string(body)
	}
	reply(w, a)
}

// request is what arrived.
type request struct {
	name    types.NamespacedName
	body    []byte
	header  http.Header
	manager string
}

// manager names the writer as the API server does: by the parameter, or by the
// part of the User-Agent before the slash.
func manager(r *http.Request) string {
	if m := r.URL.Query().Get("fieldManager"); m != "" {
		return m
	}
	agent, _, _ := strings.Cut(r.UserAgent(), "/")
	return agent
}

func (s *Server) route(method string, named bool) (serve func(request) answer, verb string) {
	switch {
	case method == http.MethodGet && named:
		return s.get, "get"
	case method == http.MethodPost && !named:
		return s.create, "create"
	case method == http.MethodPut && named:
		return s.update, "update"
	case method == http.MethodPatch && named:
		return s.patch, "patch"
	case method == http.MethodDelete && named:
		return s.delete, "delete"
	default:
		return func(request) answer {
			return failure(http.StatusNotImplemented, "", "the stand-in does not know this method")
		}, strings.ToLower(method)
	}
}

func (s *Server) get(q request) answer {
	sec, there := s.secrets[q.name]
	if !there {
		return notFound("secrets", q.name.Name)
	}
	return answer{http.StatusOK, sec}
}

func (s *Server) create(q request) answer {
	if !strings.HasPrefix(q.header.Get("Content-Type"), "application/json") {
		return failure(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, "want application/json")
	}
	sec, refused := decode(q.body)
	if refused != nil {
		return *refused
	}
	if !s.namespaces[q.name.Namespace] {
		return notFound("namespaces", q.name.Namespace)
	}
	q.name.Name = sec.Name
	if _, there := s.secrets[q.name]; there {
		return failure(http.StatusConflict, metav1.StatusReasonAlreadyExists, fmt.Sprintf("secrets %q already exists", sec.Name))
	}
	if sec.Type == "" {
		sec.Type = corev1.SecretTypeOpaque
	}
	sec.Namespace, sec.UID, sec.CreationTimestamp = q.name.Namespace, s.newUID(), metav1.NewTime(now())
	sec.ManagedFields = nil
	return s.store(q, nil, sec, http.StatusCreated)
}

func (s *Server) update(q request) answer {
	old, there := s.secrets[q.name]
	if !there {
		return notFound("secrets", q.name.Name)
	}
	sec, refused := decode(q.body)
	if refused != nil {
		return *refused
	}
	return s.replace(q, old, sec)
}

func (s *Server) patch(q request) answer {
	if q.header.Get("Content-Type") != string(types.MergePatchType) {
		return failure(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, "the stand-in knows merge patches only")
	}
	old, there := s.secrets[q.name]
	if !there {
		return notFound("secrets", q.name.Name)
	}
	sec, refused := merged(old, q.body)
	if refused != nil {
		return *refused
	}
	return s.replace(q, old, sec)
}

// replace is how updates and patches end.
func (s *Server) replace(q request, old, sec *corev1.Secret) answer {
	if sec.ResourceVersion != "" && sec.ResourceVersion != old.ResourceVersion {
		return conflict(q.name.Name)
	}
	if sec.UID != "" && sec.UID != old.UID {
		return conflict(q.name.Name)
	}
	sec.UID, sec.CreationTimestamp, sec.Namespace = old.UID, old.CreationTimestamp, old.Namespace
	sec.ManagedFields = old.ManagedFields
	return s.store(q, old, sec, http.StatusOK)
}

// store writes a Secret, if it is a valid successor of the one before.
func (s *Server) store(q request, old, sec *corev1.Secret, code int) answer {
	if problems := validate(old, sec); len(problems) > 0 {
		return invalid(sec.Name, problems)
	}
	sec.ManagedFields = managed(old, sec, q.manager)
	s.revision++
	sec.ResourceVersion = strconv.Itoa(s.revision)
	s.secrets[q.name] = sec
	return answer{code, sec}
}

func (s *Server) delete(q request) answer {
	sec, there := s.secrets[q.name]
	if !there {
		return notFound("secrets", q.name.Name)
	}
	delete(s.secrets, q.name)
	s.revision++
	return answer{http.StatusOK, &metav1.Status{
		Status:  metav1.StatusSuccess,
		Details: &metav1.StatusDetails{Name: sec.Name, Kind: "secrets", UID: sec.UID},
	}}
}

func (s *Server) newUID() types.UID {
	s.revision++
	return types.UID(fmt.Sprintf("0193a7c2-0000-4000-8000-%012d", s.revision))
}

// now is the time as the API server writes it: to the second.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// Adopt puts a Secret where it says, as if it had always been there.
func (s *Server) Adopt(sec *corev1.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision++
	sec.ResourceVersion = strconv.Itoa(s.revision)
	s.secrets[types.NamespacedName{Namespace: sec.Namespace, Name: sec.Name}] = sec
}
