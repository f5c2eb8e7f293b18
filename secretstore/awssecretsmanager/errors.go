package awssecretsmanager

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Error is what AWS answered instead of doing a call. It has the code and, for
// calls that carry no value, AWS's words; a server that repeats what it was
// sent shows nothing.
type Error struct {
	// Action is the call, such as "PutSecretValue".
	Action string
	// Code is AWS's, such as "ResourceNotFoundException".
	Code string
	// Status is the HTTP status; 0 if there was none.
	Status int
	// Message is AWS's text; empty for calls that carry a value.
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s: %s", e.Action, e.Code)
	}
	return fmt.Sprintf("%s: %s: %s", e.Action, e.Code, e.Message)
}

// isKind is errors.Is by a shorter name.
func isKind(err, kind error) bool { return errors.Is(err, kind) }

// failed turns the SDK's errors into this package's, with the sentinel that
// says what to do. It is the only place where that is decided.
func (c client) failed(action string, err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return unanswered(action, err)
	}
	e := &Error{Action: action, Code: api.ErrorCode(), Status: statusOf(err)}
	if !carriesValue(action) {
		e.Message = api.ErrorMessage()
	}
	switch {
	case isDistrust(e.Code):
		return fmt.Errorf("%w: AWS does not accept the credentials: %w", secretstore.ErrDenied, e)
	case isDenial(e.Code):
		return fmt.Errorf("%w: needs %s on %s: %w", secretstore.ErrDenied, wanted(action, api.ErrorMessage()), c.name, e)
	case e.Code == "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", secretstore.ErrNotFound, e)
	case e.Code == "ResourceExistsException":
		return fmt.Errorf("%w: %w", secretstore.ErrConflict, e)
	case e.Code == "InvalidParameterException" && action == "UpdateSecretVersionStage":
		// The label is not where it was seen.
		return fmt.Errorf("%w: %w", secretstore.ErrConflict, e)
	case e.Code == "InvalidRequestException" && speaksOfDeletion(api.ErrorMessage()):
		return fmt.Errorf("%w; restore it with: aws secretsmanager restore-secret --secret-id %s: %w", secretstore.ErrScheduledForDeletion, c.name, e)
	case isRefusal(e.Code):
		return fmt.Errorf("%w: %w", secretstore.ErrDenied, e)
	default:
		return fmt.Errorf("%w: %w", secretstore.ErrUnavailable, e)
	}
}

// unanswered is for calls that got no answer that can be read. Of the cause
// only what cannot have a value in it is kept: an answer that the SDK could not
// read comes with its bytes.
func unanswered(action string, err error) error {
	var unread *smithy.DeserializationError
	var send *smithyhttp.RequestSendError
	switch {
	case foundNoCredentials(err):
		return fmt.Errorf("%w were found for AWS: %s: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or profile of the store, "+
			"or run where a role is given (EKS, ECS, EC2)", secretstore.ErrNoCredentials, action)
	case errors.As(err, &unread):
		return fmt.Errorf("%w: %s: the answer cannot be read", secretstore.ErrUnavailable, action)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s: %w", secretstore.ErrUnavailable, action, err)
	case errors.As(err, &send):
		return fmt.Errorf("%w: %s: %w", secretstore.ErrUnavailable, action, send.Err)
	case strings.Contains(err.Error(), "get identity"), strings.Contains(err.Error(), "refresh cached credentials"):
		return fmt.Errorf("%w of AWS: %s: %w", secretstore.ErrNoCredentials, action, err)
	default:
		return fmt.Errorf("%w: %s: %w", secretstore.ErrUnavailable, action, err)
	}
}

// foundNoCredentials tells whether all places were searched in vain: the last one is the
// metadata service of a machine at EC2, which other machines do not have.
func foundNoCredentials(err error) bool {
	return strings.Contains(err.Error(), "no EC2 IMDS role found") || strings.Contains(err.Error(), "ec2imds")
}

// carriesValue tells whether a call has a value in its request or its answer.
func carriesValue(action string) bool {
	return action == "PutSecretValue" || action == "GetSecretValue"
}

func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.Response != nil {
		return answer.HTTPStatusCode()
	}
	return 0
}

// isDistrust knows the codes of "we do not know you": API reference, "Common
// Errors".
func isDistrust(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "MissingAuthenticationToken", "ExpiredTokenException", "ExpiredToken",
		"IncompleteSignature", "InvalidSignatureException", "OptInRequired":
		return true
	default:
		return false
	}
}

// isDenial knows the codes of "you may not": API reference, "Common Errors" and
// PutSecretValue.
func isDenial(code string) bool {
	switch code {
	case "AccessDeniedException", "AccessDenied", "NotAuthorized", "DecryptionFailure", "EncryptionFailure":
		return true
	default:
		return false
	}
}

// speaksOfDeletion knows how AWS, which has no code for it, says that a secret is
// scheduled for deletion.
func speaksOfDeletion(message string) bool {
	return regexp.MustCompile(`(marked|scheduled) (for deletion|deleted)`).MatchString(message)
}

// isRefusal knows the codes of "not like this": trying again is no use.
func isRefusal(code string) bool {
	switch code {
	case "InvalidRequestException", "InvalidParameterException", "ValidationException", "ValidationError", "LimitExceededException",
		"MalformedPolicyDocumentException", "PreconditionNotMetException", "PublicPolicyException", "UnknownOperationException":
		return true
	default:
		return false
	}
}

// wanted names the permission that is missing: the one that AWS names, a KMS
// one if AWS speaks of KMS, or the call's own.
func wanted(action, message string) string {
	if named := regexp.MustCompile(`not authorized to perform:? ([a-z]+:[A-Za-z]+)`).FindStringSubmatch(message); named != nil {
		return named[1]
	}
	if strings.Contains(message, "KMS") {
		if action == "PutSecretValue" {
			return "kms:GenerateDataKey and kms:Decrypt, on the secret's KMS key, to encrypt a value"
		}
		return "kms:Decrypt, on the secret's KMS key, to read a value"
	}
	return "secretsmanager:" + action
}
