//go:build browser

package page_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
)

// The pages in a real Chromium: make page-check. It needs chromium, and axe-core's script.
var (
	axeFile = flag.String("page.axe", "", "axe.min.js of axe-core")
	shots   = flag.String("page.shots", "", "folder for pictures of the pages; none are made if it is empty")
	only    = flag.String("page.scene", "", "only that scene")
)

// violation is what axe found.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// TestThePagesInABrowser opens every page of every scene, as wide as a screen and as a
// phone, light and dark: nothing sticks out, nothing is refused by the pages' own policy,
// and axe finds nothing that keeps anybody from reading them.
func TestThePagesInABrowser(t *testing.T) {
	axe, err := os.ReadFile(*axeFile)
	if err != nil {
		t.Fatalf("axe-core is needed: -page.axe: %v", err)
	}
	if *shots != "" {
		if err := os.MkdirAll(*shots, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chromium, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	defer stop()
	browser, closeBrowser := chromedp.NewContext(chromium)
	defer closeBrowser()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	views := 0
	all := scenes()
	maps.Copy(all, sinkScenes())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if *only != "" && name != *only {
			continue
		}
		if name == "healthy" {
			all[name].trail = page.Trail{Dir: t.TempDir()}
			all[name].audit = audited()
			year(t, all[name].trail.Dir, "zapier")
		}
		server := httptest.NewServer(all[name].site())
		for _, path := range browsed(name) {
			for _, width := range []int64{1280, 390} {
				for _, scheme := range []string{"light", "dark"} {
					views++
					what := fmt.Sprintf("%s %s %d %s", name, path, width, scheme)
					open(t, browser, what, server.URL+path, width, scheme, string(axe))
				}
			}
		}
		server.Close()
	}
	t.Logf("%d views", views)
}

// browsed lists the pages of a scene.
func browsed(scene string) []string {
	switch scene {
	case "empty":
		return []string{"/", "/login", "/nowhere", "/auditor"}
	case "500 targets":
		return []string{"/", "/target/customer-00057", "/?q=nobody"}
	case "healthy", "quarantine":
		return []string{"/", "/target/zapier", "/auditor"}
	case "hold":
		return []string{"/", "/target/reporting"}
	default:
		return []string{"/", "/target/sending"}
	}
}

// TestSigningInInABrowser: the form is all that it takes, and signing out ends it.
func TestSigningInInABrowser(t *testing.T) {
	server := httptest.NewServer(guardedScene().site())
	defer server.Close()
	chromium, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	defer stop()
	tab, closeTab := chromedp.NewContext(chromium)
	defer closeTab()
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(tab,
		chromedp.Navigate(server.URL+"/target/sending"), chromedp.SendKeys("#token", "not the token"), chromedp.Click("form.login button"),
		chromedp.WaitVisible("[role=alert]"), chromedp.SendKeys("#token", token), chromedp.Click("form.login button"),
		chromedp.WaitVisible("#headline"), chromedp.Click("form.leave button"), chromedp.WaitVisible("#token"),
	); err != nil {
		t.Error(err)
	}
}

func open(t *testing.T, browser context.Context, what, url string, width int64, scheme, axe string) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	must := func(doing string, err error) {
		if err != nil {
			t.Fatalf("%s: %s: %v", what, doing, err)
		}
	}
	must("listen", chromedp.Listen(tab, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "404") {
				t.Errorf("%s: the browser says: %s", what, e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("%s: the script fails: %s", what, e.ExceptionDetails.Text)
		}
	}))
	_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	must("emulate", err)
	must("open", chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url), chromedp.WaitReady("main")))
	sticksOut, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	must("measure", err)
	must("load axe", chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](axe+"; 0")))
	found, err := chromedp.Run(tab, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(`+
		`r.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))}))))`,
		chromedp.EvalAwaitPromise))
	must("ask axe", err)
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	must("take a picture", err)
	if sticksOut > 0 {
		t.Errorf("%s: the page is %d pixels wider than the window", what, sticksOut)
	}
	var violations []violation
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		t.Errorf("%s: %v in %q", what, err, found)
	}
	for _, v := range violations {
		t.Errorf("%s: axe: %s (%s): %s: %+v", what, v.ID, v.Impact, v.Help, v.Nodes[0])
	}
	if *shots != "" {
		name := strings.NewReplacer(" ", "-", "/", "_", "?", "_").Replace(what) + ".png"
		if err := os.WriteFile(filepath.Join(*shots, name), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
