package sandbox

import (
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Texts of refusals. Those for no header, no plan, too many and a scope are
// samples of the OpenAPI file or were seen in public; what the API says of an
// unknown or deleted key is undocumented.
const (
	textNoHeader   = "Missing Authorization header"
	textUnknownKey = "Invalid API key"
	textNoPlan     = "Workspace does not have an active paid plan"
	textTooMany    = "Rate limit exceeded"
)

// headerAsWorkspace lets a key of an admin workspace act in a sub-workspace
// (vendor's workspace group guide).
const headerAsWorkspace = "X-As-Workspace"

// gate is a check that every call passes; it gives the reply if it refuses.
type gate func(*call) *reply

// newGates lists the gates in their order. That the key and its scopes are
// checked before the request's content is inferred: Fastify's hooks run so.
func (s *Server) newGates() []gate {
	return []gate{
		s.atEdge, s.available, s.routed, s.authenticated, s.inWorkspace,
		s.withinRate, s.paid, s.scoped, s.wellFormed, s.unspoilt,
	}
}

func refuse(r reply) *reply { return &r }

// atEdge is Cloudflare, which the API is behind.
func (s *Server) atEdge(c *call) *reply {
	if s.faults.EdgeBlock || !s.faults.AnyAgent && !welcomeAgent(c.userAgent) {
		return refuse(edgeBlocked())
	}
	return nil
}

// welcomeAgent tells whether the edge lets a User-Agent in. The vendor says
// that one is required and that default ones are blocked, but not which; these
// are the defaults of libraries that are blocked widely.
func welcomeAgent(agent string) bool {
	for _, unwelcome := range []string{"Go-http-client/", "Python-urllib/", "libwww-perl/", "Java/"} {
		if strings.HasPrefix(agent, unwelcome) {
			return false
		}
	}
	return agent != ""
}

func (s *Server) available(*call) *reply {
	if s.faults.Unavailable {
		return refuse(usualFailure(http.StatusServiceUnavailable))
	}
	return nil
}

func (s *Server) routed(c *call) *reply {
	if c.route == nil {
		return refuse(failure(http.StatusNotFound,
			"Route "+c.request.Method+":"+c.request.URL.RequestURI()+" not found"))
	}
	return nil
}

func (s *Server) authenticated(c *call) *reply {
	header := c.request.Header.Get("Authorization")
	if header == "" {
		return refuse(failure(http.StatusUnauthorized, textNoHeader))
	}
	k, known := s.registry.keysByText[digestOf(bearer(header))]
	if !known || !k.Alive(c.now) {
		return refuse(failure(http.StatusUnauthorized, cmp.Or(s.faults.DeadKeyText, textUnknownKey)))
	}
	c.actor = k
	return nil
}

// bearer reads the credential of an Authorization header (RFC 6750 §2.1); zero
// if it is of another scheme.
func bearer(header string) secret.Value {
	scheme, value, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return secret.Value{}
	}
	return secret.New(strings.TrimSpace(value))
}

// inWorkspace finds the workspace that the call acts in. What the API answers
// for one that the key has no business in is undocumented.
func (s *Server) inWorkspace(c *call) *reply {
	c.workspace = s.registry.byID[c.actor.WorkspaceID]
	wanted := c.request.Header.Get(headerAsWorkspace)
	if wanted == "" || wanted == c.workspace.ID || s.faults.IgnoreAsWorkspace {
		return nil
	}
	sub, known := s.registry.byID[wanted]
	if !known || sub.Parent != c.workspace.ID || sub.Invitation != InvitationAccepted {
		return refuse(failure(http.StatusForbidden, "Workspace is not in your workspace group"))
	}
	c.workspace = sub
	return nil
}

// withinRate enforces the rate limit. A call that acts in a sub-workspace
// counts there; undocumented.
func (s *Server) withinRate(c *call) *reply {
	if !c.workspace.spent.spend(c.now, s.rateLimit) || s.faults.RateLimited {
		return refuse(tooMany(s.faults.RetryAfter))
	}
	return nil
}

func (s *Server) paid(*call) *reply {
	if s.faults.PlanLapsed {
		return refuse(usualFailure(http.StatusPaymentRequired))
	}
	return nil
}

// scoped checks the key's scopes. The vendor's quickstart says 403 for a
// missing one; what was seen, five times over, is this 401.
func (s *Server) scoped(c *call) *reply {
	if grants(c.actor.Scopes, c.route.Scopes) {
		return nil
	}
	return refuse(failure(http.StatusUnauthorized, "Invalid scope. Required: "+
		c.route.Scopes[0]+". Found: "+strings.Join(c.actor.Scopes, ", ")))
}

// wellFormed reads the body of the methods that have one, as Fastify's stock
// parser does.
func (s *Server) wellFormed(c *call) *reply {
	if c.request.Method == http.MethodGet {
		return nil
	}
	if len(c.raw) > maxBody {
		return refuse(frameworkFailure(http.StatusRequestEntityTooLarge,
			"FST_ERR_CTP_BODY_TOO_LARGE", "Request body is too large"))
	}
	contentType := c.request.Header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case media != "application/json" && len(c.raw) > 0:
		return refuse(frameworkFailure(http.StatusUnsupportedMediaType,
			"FST_ERR_CTP_INVALID_MEDIA_TYPE", "Unsupported Media Type: "+contentType))
	case media == "application/json" && len(c.raw) == 0:
		return refuse(frameworkFailure(http.StatusBadRequest, "FST_ERR_CTP_EMPTY_JSON_BODY",
			"Body cannot be empty when content-type is set to 'application/json'"))
	case len(c.raw) == 0:
		return nil
	}
	if err := json.Unmarshal(c.raw, &c.body); err != nil {
		return refuse(frameworkFailure(http.StatusBadRequest, "FST_ERR_CTP_INVALID_JSON_BODY",
			"Body is not valid JSON but content-type is set to 'application/json'"))
	}
	return nil
}

// unspoilt answers a call that is in order with an error and status 200.
func (s *Server) unspoilt(*call) *reply {
	if s.faults.ErrorInSuccess {
		return refuse(success(errorInSuccess()))
	}
	return nil
}
