package awssecretsmanager_test

// A scenario is a sequence of calls whose answers were recorded on the real
// service under the scenario's name. The recordings have the answers only.
type scenario struct {
	name  string
	steps []step
}

// A step is one call. Its parameters may say "$1" for the first version id of
// the scenario, "$2" for the second …; "$token" is a new one.
type step struct {
	recorded string // the answer's name in the recording; empty if it has none
	action   string
	in       map[string]any
}

type in = map[string]any

func create(recorded string, more in) step {
	p := merged(in{"Name": "$name"}, more)
	if len(more) > 0 {
		p["ClientRequestToken"] = "$token"
	}
	return step{recorded, "CreateSecret", p}
}

func on(recorded, action string, more in) step {
	return step{recorded, action, merged(in{"SecretId": "$name"}, more)}
}

func put(recorded, value string, labels ...string) step {
	p := in{"ClientRequestToken": "$token", "SecretString": value}
	if len(labels) > 0 {
		p["VersionStages"] = labels
	}
	return on(recorded, "PutSecretValue", p)
}

func move(recorded, label, from, to string) step {
	p := in{"VersionStage": label, "RemoveFromVersionId": from}
	if to != "" {
		p["MoveToVersionId"] = to
	}
	return on(recorded, "UpdateSecretVersionStage", p)
}

func merged(a, b in) in {
	out := in{}
	for _, m := range []in{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

const (
	list     = "ListSecretVersionIds"
	describe = "DescribeSecret"
	get      = "GetSecretValue"
	remove   = "DeleteSecret"
)

func forced() in { return in{"ForceDeleteWithoutRecovery": true} }

func scenarios() []scenario {
	out := []scenario{
		{"can_recreate_delete_secret", []step{
			create("create_secret_res_0", in{"SecretString": "a"}), on("delete_res_1", remove, forced()),
			create("create_secret_res_1", in{"SecretString": "b"}),
		}},
		{"exp_raised_on_creation_of_secret_scheduled_for_deletion", []step{
			create("", in{"SecretString": "a"}), on("delete_res", remove, nil), create("invalid_req_ex", in{"SecretString": "a"}),
		}},
		{"put_secret_value_with_version_stages", []step{
			create("create_secret_rs_0", in{"SecretString": "secret_string_v0"}), on("get_secret_value_res_0", get, nil),
			put("put_secret_value_res_1", "secret_string_v1", "SAMPLESTAGE1", "SAMPLESTAGE0"), on("get_secret_value_res_1", get, nil),
			put("put_secret_value_res_2", "secret_string_v2", "SAMPLESTAGE1", "SAMPLESTAGE0"), on("get_secret_value_res_2", get, nil),
			put("put_secret_value_res_3", "secret_string_v3", "AWSPENDING"), on("get_secret_value_res_3", get, nil),
			put("put_secret_value_res_4", "secret_string_v4"), on("get_secret_value_res_4", get, nil),
			on("delete_secret_res_1", remove, forced()),
		}},
		{"update_secret_description", []step{
			create("create_secret_rs_0", in{"SecretString": "a"}), on("describe_secret_res_0", describe, nil),
			on("update_secret_res_0", "UpdateSecret", in{"Description": "MyDescription"}), on("describe_secret_res_1", describe, nil),
			on("update_secret_res_1", "UpdateSecret", in{"Description": "MyNewDescription", "SecretString": "b", "ClientRequestToken": "$token"}),
			on("describe_secret_res_2", describe, nil),
			on("update_secret_res_2", "UpdateSecret", in{"SecretString": "c", "ClientRequestToken": "$token"}),
			on("describe_secret_res_3", describe, nil),
			on("update_secret_res_3", "UpdateSecret", nil), on("describe_secret_res_4", describe, nil),
			on("delete_secret_res_0", remove, forced()),
		}},
		{"update_secret_version_stages_return_type", []step{
			create("create_secret_rs_0", in{"SecretString": "a"}), put("put_secret_value_res_0", "b", "AWSPENDING"),
			move("update_secret_version_stage_res_0", "AWSCURRENT", "$1", "$2"), on("delete_secret_res_0", remove, forced()),
		}},
		{"update_secret_version_stages_current_previous", []step{
			create("create_secret_rs_0", in{"SecretString": "a"}), on("list_secret_version_ids_res_0", list, nil),
			on("update_secret_res_0", "UpdateSecret", in{"SecretString": "b", "ClientRequestToken": "$token"}),
			on("list_secret_version_ids_res_1", list, nil), on("delete_secret_res_0", remove, forced()),
		}},
		{"update_secret_version_stages_current_pending", []step{
			create("create_secret_rs_0", in{"SecretString": "a"}), put("put_secret_value_res_0", "b", "AWSPENDING"),
			on("list_secret_version_ids_res_0", list, nil), move("update_secret_version_stage_res_0", "AWSCURRENT", "$1", "$2"),
			on("list_secret_version_ids_res_1", list, nil), put("put_secret_value_res_1", "c"),
			on("list_secret_version_ids_res_2", list, nil), on("delete_secret_res_0", remove, forced()),
		}},
		{"update_secret_version_stages_current_pending_cycle", []step{
			create("create_secret_rs_0", in{"SecretString": "S1"}), put("put_secret_value_res_0", "S2", "AWSPENDING"),
			on("list_secret_version_ids_res_0", list, nil), on("get_secret_value_res_0", get, nil),
			move("update_secret_version_stage_res_0", "AWSCURRENT", "$1", "$2"),
			on("list_secret_version_ids_res_1", list, nil), on("get_secret_value_res_1", get, nil),
			put("put_secret_value_res_1", "S3", "AWSPENDING"),
			on("list_secret_version_ids_res_2", list, nil), on("get_secret_value_res_2", get, nil),
			move("put_secret_value_res_2", "AWSCURRENT", "$2", "$3"),
			on("list_secret_version_ids_res_3", list, nil), on("get_secret_value_res_3", get, nil),
			on("delete_secret_res_0", remove, forced()),
		}},
		{"update_secret_version_stages_current_pending_cycle_custom_stages_1", []step{
			create("create_secret_rs_0", in{"SecretString": "S1"}), put("put_secret_value_res_0", "S2", "AWSSOMETHING", "AWSPENDING", "PUT1"),
			on("list_secret_version_ids_res_0", list, nil), on("get_secret_value_res_0", get, nil),
			move("update_secret_version_stage_res_0", "AWSCURRENT", "$1", "$2"),
			on("list_secret_version_ids_res_1", list, nil), on("get_secret_value_res_1", get, nil),
			put("put_secret_value_res_1", "S3", "AWSPENDING", "PUT2"),
			on("list_secret_version_ids_res_2", list, nil), on("get_secret_value_res_2", get, nil),
			move("update_secret_version_stage_res_1", "AWSCURRENT", "$2", "$3"),
			on("list_secret_version_ids_res_3", list, nil), on("get_secret_value_res_3", get, nil),
		}},
		{"update_secret_version_stages_current_pending_cycle_custom_stages_2", []step{
			create("create_secret_rs_0", in{"SecretString": "SS"}), put("put_secret_value_res_0", "S1", "AWSCURRENT", "PUT0"),
			on("list_secret_version_ids_res_0", list, nil), put("put_secret_value_res_1", "S2", "AWSPENDING", "PUT1"),
			on("list_secret_version_ids_res_1", list, nil), on("get_secret_value_res_0", get, nil),
			move("update_secret_version_stage_res_0", "AWSCURRENT", "$2", "$3"),
			on("list_secret_version_ids_res_2", list, nil), on("get_secret_value_res_1", get, nil),
			put("put_secret_value_res_2", "S3", "AWSPENDING", "PUT2"),
			on("list_secret_version_ids_res_3", list, nil), on("get_secret_value_res_2", get, nil),
			move("update_secret_version_stage_res_1", "AWSCURRENT", "$3", "$4"),
			on("list_secret_version_ids_res_4", list, nil), on("get_secret_value_res_3", get, nil),
		}},
		{"update_secret_version_stages_current_pending_cycle_custom_stages_3", []step{
			create("create_secret_rs", in{"SecretString": "SS"}), put("put_secret_value_res_0", "S1", "PENDING"),
			on("list_secret_version_ids_rs", list, nil),
			on("get_secret_value_v1_rs", get, in{"VersionId": "$1"}), on("get_secret_value_v2_rs", get, in{"VersionId": "$2"}),
			move("update_secret_version_stage_res_1", "AWSCURRENT", "$1", "$2"),
			on("get_secret_value_v1_rs_1", get, in{"VersionId": "$1"}), on("get_secret_value_v2_rs_1", get, in{"VersionId": "$2"}),
			move("update_secret_version_stage_res_2", "PENDING", "$2", ""),
			on("get_secret_value_v1_rs_2", get, in{"VersionId": "$1"}), on("get_secret_value_v2_rs_2", get, in{"VersionId": "$2"}),
		}},
		{"non_versioning_version_stages_replacement", []step{
			create("create_secret_rs_0", in{"SecretString": "S0"}), put("put_secret_value_res_0", "S1", "one", "two", "three"),
			on("list_secret_version_ids_res_0", list, nil), put("put_secret_value_res_1", "S2", "one", "two", "three", "four"),
			on("list_secret_version_ids_res_1", list, nil),
		}},
		{"non_versioning_version_stages_no_replacement", []step{
			create("create_secret_rs_0", in{"SecretString": "S0"}), put("put_secret_value_res_0", "S1", "one", "two", "three"),
			on("list_secret_version_ids_res_0", list, nil), put("put_secret_value_res_1", "S2", "one", "two", "four"),
			on("list_secret_version_ids_res_1", list, nil),
		}},
		{"secret_not_found", []step{on("get_secret_value_not_found_ex", get, nil), on("list_secret_version_ids_not_found_ex", list, nil)}},
		{"secret_exists_snapshots", []step{
			create("", in{"SecretString": "a"}), create("ex_log", in{"SecretString": "a"}), on("delete_secret_res", remove, forced()),
		}},
		{"no_client_request_token[CreateSecret]", []step{{"no-client-request-exc", "CreateSecret", in{"Name": "$name", "SecretString": "a"}}}},
		{"no_client_request_token[UpdateSecret]", []step{
			create("", in{"SecretString": "a"}), on("no-client-request-exc", "UpdateSecret", in{"SecretString": "b"}),
		}},
		{"no_client_request_token[PutSecretValue]", []step{
			create("", in{"SecretString": "a"}), on("no-client-request-exc", "PutSecretValue", in{"SecretString": "b"}),
		}},
		{"create_secret_version_from_empty_secret", []step{
			create("create-empty-secret", nil), on("describe-secret", describe, nil), put("put-secret-value", "a"),
		}},
		{"secret_restore", []step{
			create("", in{"SecretString": "a"}), on("delete_secret_res", remove, nil), on("restore_secret_res", "RestoreSecret", nil),
		}},
		{"secret_tags", []step{
			create("create_secret", nil), on("describe_secret", describe, nil),
			on("tag_resource_1", "TagResource", in{"Tags": []in{{"Key": "tag1", "Value": "value1"}}}), on("describe_secret_1", describe, nil),
			on("tag_resource_2", "TagResource", in{"Tags": []in{{"Key": "tag2", "Value": "value2"}}}), on("describe_secret_2", describe, nil),
			on("untag_resource_1", "UntagResource", in{"TagKeys": []string{"tag1"}}), on("describe_secret_3", describe, nil),
			on("untag_resource_2", "UntagResource", in{"TagKeys": []string{"tag2"}}), on("describe_secret_4", describe, nil),
			on("", "TagResource", in{"Tags": []in{{"Key": "tag3", "Value": "value3"}, {"Key": "tag4", "Value": "value4"}}}),
			on("describe_secret_5", describe, nil),
			on("", "UntagResource", in{"TagKeys": []string{"tag3", "tag4"}}), on("describe_secret_6", describe, nil),
		}},
		{"deprecated_secret_version_stage", []step{
			create("create_secret", in{"SecretString": "original"}), on("list_secret_version_ids", list, nil),
			put("put_secret_value_1", "1"), on("list_secret_version_ids_1", list, nil),
			put("put_secret_value_2", "2"), on("list_secret_version_ids_2", list, nil),
			on("list_secret_version_ids_3", list, in{"IncludeDeprecated": true}),
			put("put_secret_value_3", "3"), on("list_secret_version_ids_4", list, nil),
			on("list_secret_version_ids_5", list, in{"IncludeDeprecated": true}),
		}},
		{"get_secret_value_errors", []step{
			create("", in{"SecretString": "a"}),
			on("error_get_secret_value_non_existing", get, in{"VersionId": "", "VersionStage": "AWSPREVIOUS"}),
			put("", "b", "AWSPENDING"),
			on("mismatch_version_id_and_stage", get, in{"VersionId": "$1", "VersionStage": "AWSPENDING"}),
		}},
		{"secret_version_not_found", []step{
			create("", nil), on("get_secret_value_no_version_ex", get, nil),
			on("get_secret_value_version_not_found_ex", get, in{"VersionId": "00000000-0000-4000-8000-ffffffffffff"}),
			on("get_secret_value_stage_not_found_ex", get, in{"VersionStage": "AWSPENDING"}),
		}},
		{"get_secret_value", []step{
			create("", in{"SecretBinary": "Zm9vdGVzdA=="}), on("secret_value_response", get, nil), on("secret_value_http_response", get, nil),
		}},
		{"force_delete_deleted_secret", []step{
			create("create_secret_response", in{"SecretString": "a"}), on("delete_secret_response", remove, in{"RecoveryWindowInDays": 7}),
			on("describe_secret_response", describe, nil), on("force_delete_secret_response", remove, forced()),
		}},
		{"tag_untag_resource_on_deleted_secret", []step{
			create("create_secret", in{"SecretString": "a"}), on("delete_secret", remove, nil),
			on("tag_deleted_secret_error", "TagResource", in{"Tags": []in{{"Key": "k", "Value": "v"}}}),
			on("untag_deleted_secret_error", "UntagResource", in{"TagKeys": []string{"k"}}),
		}},
	}
	out = append(out, createAndUpdate()...)
	out = append(out, invalidNames()...)
	return append(out, binaries()...)
}

func createAndUpdate() []scenario {
	var out []scenario
	for _, secret := range []string{
		"s-c64bdc03-True", "Valid/_+=.@-Name-True", "Valid/_+=.@-Name-a1b2-True", "Valid/_+=.@-Name-a1b2c3--True", "s-4b175f02-True",
		"s-c64bdc03", "Valid/_+=.@-Name", "Valid/_+=.@-Name-a1b2", "Valid/_+=.@-Name-a1b2c3-",
	} {
		out = append(out, scenario{"create_and_update_secret[" + secret + "]", []step{
			create("create_secret_rs_1", in{"SecretString": "my_secret", "Description": "Testing secret creation."}),
			on("get_secret_value_rs_1", get, nil), on("describe_secret_rs_1", describe, nil),
			on("get_secret_value_rs_2", get, in{"SecretId": "$arn"}), on("get_secret_value_rs_3", get, in{"SecretId": "$partial"}),
			put("put_secret_value_rs_1", "new_secret"), on("get_secret_value_rs_4", get, nil),
			on("update_secret_res_1", "UpdateSecret", in{"SecretId": "$arn", "SecretString": "test123", "ClientRequestToken": "$token"}),
			on("delete_secret_res_1", remove, forced()),
		}})
	}
	return out
}

func invalidNames() []scenario {
	var out []scenario
	for _, bad := range []string{"Inv Name", " Inv Name", " Inv*Name? ", ` Inv *?!]Name\\-`} {
		id := in{"SecretId": bad}
		out = append(out, scenario{"invalid_secret_name[" + bad + "]", []step{
			on("ex_log_1", remove, id), on("ex_log_2", describe, id), on("ex_log_4", get, id), on("ex_log_5", list, id),
			on("ex_log_6", "PutSecretValue", merged(id, in{"ClientRequestToken": "$token", "SecretString": "a"})),
			on("ex_log_7", "TagResource", merged(id, in{"Tags": []in{{"Key": "k", "Value": "v"}}})),
			on("ex_log_8", "UntagResource", merged(id, in{"TagKeys": []string{"k"}})),
			on("ex_log_9", "UpdateSecret", merged(id, in{"Description": "d"})),
		}})
	}
	return out
}

func binaries() []scenario {
	var out []scenario
	for _, value := range []string{"footest-updated1", "tops3cret-updated2", `\x00\x01\x02\xff-\xfe\xfd`} {
		out = append(out, scenario{"change_secret_value_after_creation[" + value + "]", []step{
			create("", in{"SecretBinary": "aW5pdGlhbA=="}), on("put_secret_value_secret_response", get, nil),
			on("", "PutSecretValue", in{"SecretBinary": "AAE=", "ClientRequestToken": "$token"}), on("put_secret_binary_response_updated", get, nil),
			on("", "UpdateSecret", in{"SecretBinary": "AAI=", "ClientRequestToken": "$token"}), on("update_secret_binary_response_updated", get, nil),
		}})
	}
	return out
}
