//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// cluster is the API server behind `kubectl proxy`, which takes any KUBECONFIG.
// Reads are plain GETs through it, since one by kubectl costs a process; what
// users do is done by kubectl and helm.
type cluster struct{ http http.Client }

// connect starts the proxy, on a socket that only this user can open.
func connect() (c *cluster, stop func(), err error) {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return nil, nil, err
	}
	socket := filepath.Join(dir, "proxy")
	proxy := exec.Command(*kubectlPath, "proxy", "--unix-socket="+socket)
	proxy.Stderr = os.Stderr
	if err := proxy.Start(); err != nil {
		return nil, nil, fmt.Errorf("start kubectl proxy: %w", err)
	}
	stop = func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait()
		_ = os.RemoveAll(dir)
	}
	c = &cluster{http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}}
	for end := time.Now().Add(clusterTimeout); ; time.Sleep(100 * time.Millisecond) {
		if _, err = c.get("/version"); err == nil {
			return c, stop, nil
		}
		if time.Now().After(end) {
			stop()
			return nil, nil, fmt.Errorf("no cluster: KUBECONFIG=%s: %w", os.Getenv("KUBECONFIG"), err)
		}
	}
}

// errNotThere: the API server answers 404.
var errNotThere = errors.New("not there")

func (c *cluster) get(path string) ([]byte, error) { return c.call(http.MethodGet, path, nil) }

func (c *cluster) call(method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequest(method, "http://localhost"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", path, errNotThere)
	case resp.StatusCode >= 300:
		return nil, fmt.Errorf("%s %s: %s: %.300s", method, path, resp.Status, text)
	}
	return text, nil
}

// read gives an object of the cluster.
func (c *cluster) read(path string, into any) error {
	text, err := c.get(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// What the suite reads of objects.

type object struct {
	Metadata struct {
		Name            string            `json:"name"`
		UID             string            `json:"uid"`
		Annotations     map[string]string `json:"annotations"`
		OwnerReferences []struct {
			Kind string `json:"kind"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
}

type pod struct {
	object
	Status struct {
		PodIP             string      `json:"podIP"`
		Conditions        []condition `json:"conditions"`
		ContainerStatuses []struct {
			RestartCount int `json:"restartCount"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

func holds(conditions []condition, kind string) bool {
	for _, c := range conditions {
		if c.Type == kind {
			return c.Status == "True"
		}
	}
	return false
}

type job struct {
	object
	Status struct {
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

type lease struct {
	Spec struct {
		HolderIdentity string `json:"holderIdentity"`
	} `json:"spec"`
}
