package kubetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Object is one of the kinds that the server keeps beside Secrets.
type Object interface {
	runtime.Object
	metav1.Object
}

// kind is what the server has to know of a kind.
type kind struct {
	group, resource, name string
	blank                 func() Object
	verbs                 map[string]string // by HTTP method
}

func kinds() []kind {
	read := map[string]string{http.MethodGet: "get", http.MethodPatch: "patch"}
	return []kind{
		{"coordination.k8s.io", "leases", "Lease", func() Object { return &coordinationv1.Lease{} },
			map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPut: "update"}},
		{"apps", "deployments", "Deployment", func() Object { return &appsv1.Deployment{} }, read},
		{"apps", "statefulsets", "StatefulSet", func() Object { return &appsv1.StatefulSet{} }, read},
		{"", "configmaps", "ConfigMap", func() Object { return &corev1.ConfigMap{} }, read},
	}
}

// key names an object.
type key struct {
	resource string
	types.NamespacedName
}

// kindOf reads a path.
func kindOf(path string) (kind, types.NamespacedName, bool) {
	m := regexp.MustCompile(`^/api(?:s/([^/]+))?/v1/namespaces/([^/]+)/([^/]+)(?:/([^/]+))?$`).FindStringSubmatch(path)
	if m == nil {
		return kind{}, types.NamespacedName{}, false
	}
	for _, k := range kinds() {
		if k.group == m[1] && k.resource == m[3] {
			return k, types.NamespacedName{Namespace: m[2], Name: m[4]}, true
		}
	}
	return kind{}, types.NamespacedName{}, false
}

// Put keeps an object, as if it had always been there.
func (s *Server) Put(o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.SetGeneration(max(o.GetGeneration(), 1))
	s.keep(resourceOf(o), o)
}

// Change edits an object as a controller does, and tells whether it is there. The
// generation is the edit's own business.
func Change[T Object](s *Server, namespace, name string, edit func(T)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var zero T
	found, there := s.objects[key{resourceOf(zero), types.NamespacedName{Namespace: namespace, Name: name}}]
	if !there {
		return false
	}
	o, _ := found.DeepCopyObject().(T)
	edit(o)
	s.keep(resourceOf(o), o)
	return true
}

func resourceOf(o Object) string {
	for _, k := range kinds() {
		if reflect.TypeOf(k.blank()) == reflect.TypeOf(o) {
			return k.resource
		}
	}
	panic(fmt.Sprintf("kubetest: no kind for %T", o))
}

func (s *Server) keep(resource string, o Object) {
	s.revision++
	o.SetResourceVersion(strconv.Itoa(s.revision))
	s.objects[key{resource, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}}] = o
}

// serveObject answers a request.
func (s *Server) serveObject(k kind, n types.NamespacedName, method string, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	verb, known := k.verbs[method]
	if !known {
		return failure(http.StatusNotImplemented, "", "the stand-in does not know this method")
	}
	s.calls = append(s.calls, Call{Verb: verb, Resource: k.resource, Namespace: n.Namespace, Name: n.Name})
	if s.Denied[verb] {
		return failure(http.StatusForbidden, metav1.StatusReasonForbidden, fmt.Sprintf(`%s %q is forbidden: User "system:serviceaccount:%s:rotator" `+
			`cannot %s resource %q in API group %q in the namespace %q`, k.full(), n.Name, n.Namespace, verb, k.resource, k.group, n.Namespace))
	}
	old, there := s.objects[key{k.resource, n}]
	switch {
	case verb == "create":
		return s.createObject(k, n.Namespace, body)
	case !there:
		return notFound(k.full(), n.Name)
	case verb == "get":
		return k.answer(http.StatusOK, old)
	case verb == "patch":
		before, _ := json.Marshal(old)
		var target, change map[string]any
		if json.Unmarshal(before, &target) != nil || json.Unmarshal(body, &change) != nil {
			return *badRequest("the patch is no JSON object")
		}
		body, _ = json.Marshal(merge(target, change))
	}
	return s.replaceObject(k, old, body)
}

func (s *Server) createObject(k kind, namespace string, body []byte) answer {
	o, refused := k.decode(body)
	if refused != nil {
		return *refused
	}
	if !s.namespaces[namespace] {
		return notFound("namespaces", namespace)
	}
	if _, there := s.objects[key{k.resource, types.NamespacedName{Namespace: namespace, Name: o.GetName()}}]; there {
		return failure(http.StatusConflict, metav1.StatusReasonAlreadyExists, fmt.Sprintf("%s %q already exists", k.full(), o.GetName()))
	}
	o.SetNamespace(namespace)
	o.SetUID(s.newUID())
	s.keep(k.resource, o)
	return k.answer(http.StatusCreated, o)
}

// replaceObject is how updates and patches end. A changed spec is a new
// generation; the status is not written here.
func (s *Server) replaceObject(k kind, old Object, body []byte) answer {
	o, refused := k.decode(body)
	if refused != nil {
		return *refused
	}
	switch o.GetResourceVersion() {
	case old.GetResourceVersion():
	case "":
		return failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, fmt.Sprintf(
			"%s %q is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update", k.full(), old.GetName()))
	default:
		return failure(http.StatusConflict, metav1.StatusReasonConflict, fmt.Sprintf("Operation cannot be fulfilled on %s %q: "+
			"the object has been modified; please apply your changes to the latest version and try again", k.full(), old.GetName()))
	}
	keepStatus(old, o)
	o.SetNamespace(old.GetNamespace())
	o.SetName(old.GetName())
	o.SetUID(old.GetUID())
	o.SetGeneration(old.GetGeneration())
	if !reflect.DeepEqual(specOf(old), specOf(o)) && o.GetGeneration() > 0 {
		o.SetGeneration(old.GetGeneration() + 1)
	}
	s.keep(k.resource, o)
	return k.answer(http.StatusOK, o)
}

// decode reads an object and knows no field that its kind has not.
func (k kind) decode(body []byte) (Object, *answer) {
	o := k.blank()
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(o); err != nil {
		return nil, badRequest(fmt.Sprintf("%s in version \"v1\" cannot be handled as a %s: %v", k.name, k.name, err))
	}
	return o, nil
}

func (k kind) answer(code int, o Object) answer {
	o, _ = o.DeepCopyObject().(Object)
	reflect.ValueOf(o).Elem().FieldByName("TypeMeta").Set(reflect.ValueOf(metav1.TypeMeta{Kind: k.name, APIVersion: strings.TrimPrefix(k.group+"/v1", "/")}))
	return answer{code, o}
}

// full is how the API server calls a kind's objects.
func (k kind) full() string { return strings.TrimSuffix(k.resource+"."+k.group, ".") }

func specOf(o Object) any {
	spec := reflect.ValueOf(o).Elem().FieldByName("Spec")
	if !spec.IsValid() { // a ConfigMap
		return nil
	}
	return spec.Interface()
}

func keepStatus(from, to Object) {
	if status := reflect.ValueOf(from).Elem().FieldByName("Status"); status.IsValid() {
		reflect.ValueOf(to).Elem().FieldByName("Status").Set(status)
	}
}

// Deploy keeps a Deployment that wants so many pods.
func (s *Server) Deploy(namespace, name string, pods int32) {
	s.Put(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: appsv1.DeploymentSpec{Replicas: &pods}})
}

// Restarted says that so many of a Deployment's pods are of its newest template,
// and the rest of the one before.
func (s *Server) Restarted(namespace, name string, pods int32) {
	Change(s, namespace, name, func(d *appsv1.Deployment) {
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: *d.Spec.Replicas, UpdatedReplicas: pods, AvailableReplicas: *d.Spec.Replicas,
		}
	})
}
