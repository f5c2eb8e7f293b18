package azurekeyvault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// actions is what the names of the calls' permissions begin with.
const actions = "Microsoft.KeyVault/vaults/secrets/"

// A callError is how a call ended. The SDK's own error is not kept where the service
// answered: its text has the whole answer in it.
type callError struct {
	action   string // what the call needs, under actions
	status   int    // 0: there was no answer
	inner    string // the service's code of the reason
	message  string
	sentinel error
	cause    error // of a call without an answer
}

// failed maps the error of a call to the sentinels of package secretstore.
func failed(action string, err error) *callError {
	if err == nil {
		return nil
	}
	e := &callError{action: action}
	var answer *azcore.ResponseError
	var hopeless interface{ NonRetriable() } // of a credential's
	switch {
	case errors.As(err, &answer):
		e.status = answer.StatusCode
		e.inner, e.message = said(answer)
		e.sentinel = e.judged()
	case errors.As(err, &hopeless) && !mayPass(err):
		e.sentinel, e.cause = secretstore.ErrNoCredentials, oneLine(err)
		e.message = "none that Azure takes"
	default:
		e.sentinel, e.cause = secretstore.ErrUnavailable, oneLine(err)
	}
	return e
}

// mayPass tells whether credentials could not be had for a reason that may pass.
func mayPass(err error) bool {
	var network net.Error
	var refused *azidentity.AuthenticationFailedError
	if errors.As(err, &refused) && refused.RawResponse != nil {
		status := refused.RawResponse.StatusCode
		return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
	}
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// said reads what the service answered: the reason's code, or else the error's, and the text.
func said(answer *azcore.ResponseError) (code, message string) {
	var body struct {
		Error struct {
			Message    string `json:"message"`
			InnerError struct {
				Code string `json:"code"`
			} `json:"innererror"`
		} `json:"error"`
	}
	if answer.RawResponse != nil && answer.RawResponse.Body != nil {
		const enough = 64 << 10
		raw, _ := io.ReadAll(io.LimitReader(answer.RawResponse.Body, enough))
		_ = json.Unmarshal(raw, &body) // an answer that is not the service's says nothing
	}
	if code = body.Error.InnerError.Code; code == "" {
		code = answer.ErrorCode
	}
	return code, body.Error.Message
}

func (e *callError) judged() error {
	switch {
	case e.status == http.StatusConflict && (e.inner == "ObjectIsDeletedButRecoverable" || e.inner == "ObjectIsBeingDeleted"):
		return secretstore.ErrScheduledForDeletion
	case e.status == http.StatusNotFound:
		return secretstore.ErrNotFound
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden, e.status == http.StatusBadRequest:
		return secretstore.ErrDenied
	default:
		return secretstore.ErrUnavailable
	}
}

// is tells whether the service answered with that status and, if not empty, that code.
func (e *callError) is(status int, inner string) bool {
	return e.status == status && (inner == "" || e.inner == inner)
}

// Error implements error.
func (e *callError) Error() string {
	parts := []string{e.sentinel.Error()}
	if what := e.advice(); what != "" {
		parts = append(parts, what)
	}
	if e.status != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.status, e.inner)))
	}
	if e.message != "" {
		parts = append(parts, oneLine(errors.New(e.message)).Error())
	}
	if e.cause != nil {
		parts = append(parts, e.cause.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap implements an interface of package errors.
func (e *callError) Unwrap() []error {
	if e.cause != nil {
		return []error{e.sentinel, e.cause}
	}
	return []error{e.sentinel}
}

// advice is what a person can do.
func (e *callError) advice() string {
	switch {
	case e.is(http.StatusConflict, "ObjectIsDeletedButRecoverable"):
		return "recover it with: az keyvault secret recover"
	case e.is(http.StatusUnauthorized, ""):
		return "the vault does not take the token; is it in another tenant?"
	case e.is(http.StatusForbidden, "ForbiddenByFirewall"):
		return "the vault's firewall does not let this machine in"
	case e.is(http.StatusForbidden, ""):
		return "needs " + actions + e.action + "/action"
	case errors.Is(e.sentinel, secretstore.ErrNoCredentials):
		return "log in with az login, or give the rotator a managed identity, a workload identity, or AZURE_CLIENT_ID with a secret or certificate"
	default:
		return ""
	}
}

// without keeps an answer that repeats a value out of every message.
func (e *callError) without(values ...secret.Value) *callError {
	for _, value := range values {
		if value.IsIn(e.message) || value.IsIn(e.inner) {
			e.message, e.inner = "(an answer that repeats the value, not shown)", ""
		}
		if e.cause != nil && value.IsIn(e.cause.Error()) {
			e.cause = errors.New("(an error that repeats the value, not shown)")
		}
	}
	return e
}

// A shortError is an error whose text was cut; what it wraps is kept.
type shortError struct {
	text string
	err  error
}

func (s shortError) Error() string { return s.text }
func (s shortError) Unwrap() error { return s.err }

// oneLine brings an error's text into one line: those of credentials are lists.
func oneLine(err error) error {
	const most = 400
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return shortError{string(text), err}
}
