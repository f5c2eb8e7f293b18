package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
)

// A variable of the environment, and what it is for.
type environmentVariable struct{ name, meaning string }

func environmentVariables() []environmentVariable {
	return []environmentVariable{
		{"INSTANTLY_ROTATOR_CONFIG", "the configuration file, where --config says none"},
		{"(any)", "admin keys and receivers' URLs, by the names that the configuration gives them: {env: NAME}"},
		{"NO_COLOR", "set: no colours; as TERM=dumb"},
		{"TERM", "dumb: no colours"},
		{"HTTPS_PROXY, HTTP_PROXY", "a proxy for everything that is called; never for this machine"},
		{"NO_PROXY", "hosts to which no proxy is used"},
		{"SSL_CERT_FILE, SSL_CERT_DIR", "certificates of those who are trusted, in place of the system's"},
		{"AWS_…", "credentials, region, profile and endpoints, as every AWS tool reads them"},
		{"GOOGLE_APPLICATION_CREDENTIALS", "a file with credentials for Google Cloud, as every tool of Google's reads it"},
		{"AZURE_…", "credentials for Azure Key Vault, as every tool of Azure's reads them"},
		{"VAULT_…, BAO_…", "address, namespace, certificates and token of Vault or OpenBao, where its section says none"},
		{"KUBECONFIG", "where the cluster is, outside of one"},
		{"SUDO_USER", "set by sudo: the trail says for whom a command runs"},
		{"POD_NAMESPACE", "daemon --leader-elect: the namespace of the Lease"},
		{"JOB_COMPLETION_INDEX, JOB_COMPLETIONS", "rotate --shard auto: which part of how many"},
		{"PORT", "serve: the port to answer on, where --listen says none"},
		{"NOTIFY_SOCKET, WATCHDOG_USEC", "set by systemd"},
		{"GOGC, GOMEMLIMIT, GOMAXPROCS", "how the Go runtime uses memory and processors"},
	}
}

func givenVariables() []environmentVariable {
	return []environmentVariable{
		{defaultVariable, "exec TARGET: the key; others with exec --env NAME=TARGET"},
		{"INSTANTLY_ROTATOR_TARGET", "commands of after_promote, programs of sinks: the target that has a new key"},
		{"INSTANTLY_ROTATOR_KEY_ID", "the same: the new key's id"},
		{"INSTANTLY_ROTATOR_SINCE", "commands of after_promote: since when every store has it; empty if that is not known"},
		{"INSTANTLY_ROTATOR_PLACE", "programs of sinks: the place, as the target's entry has it"},
	}
}

// environmentTopic is what "help environment" prints.
func environmentTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "environment",
		Short: "Variables that are read, or given to programs",
		Long:  "What is read:\n\n" + variableTable(environmentVariables()) + "\n\nWhat programs are given:\n\n" + variableTable(givenVariables()),
	}
}

func variableTable(variables []environmentVariable) string {
	var list strings.Builder
	for _, v := range variables {
		list.WriteString(entry(v.name, v.meaning))
	}
	return strings.TrimSuffix(list.String(), "\n")
}

// entry lays a name and what it means out for 80 columns.
func entry(name, meaning string) string {
	const width = 74
	return "  " + name + "\n      " + strings.ReplaceAll(text.WrapSoft(meaning, width), "\n", "\n      ") + "\n"
}

// configurationTopic is what "help configuration" prints.
func configurationTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "configuration",
		Short: "Every configuration option, with its default",
		Long: `The file is YAML, checked strictly: "instantly-rotator validate" names all mistakes
at once. config.example.yaml has every option with its reason; "instantly-rotator
schema" is for editors. "*" stands for a name of your choice, "[]" for each item of
a list. What is under defaults can be set for each key too. Durations: 90s, 15m,
24h, 7d, 2w, and sums such as 1d12h.

` + optionTable(),
	}
}

func optionTable() string {
	var list strings.Builder
	for _, o := range config.Options() {
		name := o.Path()
		switch {
		case o.Required:
			name += "  (required)"
		case o.Default != "":
			name += "  (default " + o.Default + ")"
		}
		first, _, _ := strings.Cut(o.Doc, ". ")
		list.WriteString(entry(name, strings.TrimSuffix(first, ".")))
	}
	return strings.TrimSuffix(list.String(), "\n")
}
