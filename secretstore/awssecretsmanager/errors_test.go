package awssecretsmanager_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/awstest"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		is            error
		says          string
	}{
		{400, "AccessDeniedException", "User: x is not authorized to perform: secretsmanager:DescribeSecret on resource: y", secretstore.ErrDenied, "needs secretsmanager:DescribeSecret on " + name},
		{400, "AccessDeniedException", "User: x is not authorized to perform: kms:Decrypt on resource: y", secretstore.ErrDenied, "needs kms:Decrypt on " + name},
		{403, "AccessDenied", "", secretstore.ErrDenied, "needs secretsmanager:DescribeSecret on " + name},
		{400, "ExpiredTokenException", "The security token included in the request is expired", secretstore.ErrDenied, "does not accept the credentials"},
		{400, "UnrecognizedClientException", "The security token included in the request is invalid.", secretstore.ErrDenied, "does not accept the credentials"},
		{400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.", secretstore.ErrNotFound, "create-secret --name " + name},
		{400, "InvalidRequestException", "no", secretstore.ErrDenied, "InvalidRequestException: no"},
		{400, "ValidationException", "no", secretstore.ErrDenied, "ValidationException: no"},
		{400, "ThrottlingException", "Rate exceeded", secretstore.ErrUnavailable, "ThrottlingException"},
		{429, "TooManyRequestsException", "", secretstore.ErrUnavailable, "TooManyRequestsException"},
		{500, "InternalServiceError", "", secretstore.ErrUnavailable, "InternalServiceError"},
		{503, "ServiceUnavailable", "", secretstore.ErrUnavailable, "ServiceUnavailable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			s := b.openVia(func(awstest.Call, awstest.When) error { return awstest.Refusal(c.status, c.code, c.message) })
			_, err := s.Describe(t.Context())
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "describe in "+name) {
				t.Errorf("%s: %v", c.code, err)
			}
			var e *awssecretsmanager.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Status != c.status || e.Action != "DescribeSecret" {
				t.Errorf("%s: %+v", c.code, e)
			}
		})
	}
}

func TestABrokenConnectionIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, err := b.openVia(func(awstest.Call, awstest.When) error { return awstest.ErrTorn }).Describe(t.Context())
		if !errors.Is(err, secretstore.ErrUnavailable) || !errors.Is(err, awstest.ErrTorn) {
			t.Error(err)
		}
	})
}

func TestWithoutARegionTheStoreDoesNotOpen(t *testing.T) {
	o := newBench(t).options(http.DefaultClient)
	o.Region = ""
	if _, err := awssecretsmanager.Connect(context.Background(), o.Of(o.Secret)); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Error(err)
	}
	o.Secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/instantly-AbCdEf"
	if _, err := awssecretsmanager.Connect(context.Background(), o.Of(o.Secret)); err != nil {
		t.Errorf("an ARN has the region in it: %v", err)
	}
}
