package awssecretsmanager

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// anyRegion is where AWS is asked who asks, if no region is set: each answers.
const anyRegion = "us-east-1"

// discover asks AWS as whom the surroundings' credentials act. It needs no permission
// (sts:GetCallerIdentity cannot be taken away).
func discover(ctx context.Context) (storekind.Discovery, error) {
	cfg, err := Site{}.load(ctx)
	if err != nil {
		return storekind.Discovery{}, fmt.Errorf("awssecretsmanager: %w", err)
	}
	region := cfg.Region
	if region == "" {
		cfg.Region = anyRegion
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return storekind.Discovery{}, fmt.Errorf("awssecretsmanager: GetCallerIdentity: %w", err)
	}
	as := fmt.Sprintf("account %s, as %s", aws.ToString(who.Account), aws.ToString(who.Arn))
	if region != "" {
		as += ", region " + region
	}
	return storekind.Discovery{As: as, Settings: map[string]string{"region": region}}, nil
}
