{{/* The name of everything of this release. */}}
{{- define "rotator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A CronJob's name may have 52 characters: its Jobs' names are longer. */}}
{{- define "rotator.fullname" -}}
{{- $name := include "rotator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "rotator.selector" -}}
app.kubernetes.io/name: {{ include "rotator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rotator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "rotator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "rotator.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "rotator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "rotator.tokenSecret" -}}
{{- default (printf "%s-token" (include "rotator.fullname" .)) .Values.daemon.token.existingSecret }}
{{- end }}

{{- define "rotator.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/*
The Secrets that the configuration's stores of kind kubernetes keep, as JSON:
{NAMESPACE: {keys: {NAME: true}, adminKeys: {NAME: true}, create: BOOL}}. A key's
secret is named as the key unless it says otherwise; an admin key that is in a
store is only read, unless it is rotated.
*/}}
{{- define "rotator.secrets" -}}
{{- $found := dict }}
{{- $stores := default dict .Values.config.stores }}
{{- $refs := list }}
{{- range concat .Values.config.keys (default list .Values.config.webhook_secrets) }}
{{- $key := .name }}
{{- range .stores }}
{{- $refs = append $refs (dict "for" "keys" "store" .store "secret" (default $key .secret)) }}
{{- end }}
{{- end }}
{{- range $name, $workspace := .Values.config.workspaces }}
{{- $admin := $workspace.admin_key }}
{{- with $admin.store }}
{{- $refs = append $refs (dict "for" (ternary "rotatedAdminKeys" "adminKeys" (hasKey $admin "rotate")) "store" . "secret" $admin.secret) }}
{{- end }}
{{- range (default dict $admin.rotate).followers }}
{{- $refs = append $refs (dict "for" "rotatedAdminKeys" "store" .store "secret" (default (printf "%s-admin-key" $name) .secret)) }}
{{- end }}
{{- end }}
{{- range $refs }}
{{- $store := default dict (get $stores .store) }}
{{- if eq (default "" $store.kind) "kubernetes" }}
{{- $namespace := default $.Release.Namespace $store.namespace }}
{{- $here := default (dict "keys" dict "adminKeys" dict "rotatedAdminKeys" dict "create" false) (get $found $namespace) }}
{{- $_ := set (get $here .for) .secret true }}
{{- if $store.create_missing }}{{ $_ := set $here "create" true }}{{ end }}
{{- $_ := set $found $namespace $here }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/* The ConfigMap of a trail without a folder, as JSON: {name, namespace}; else {}. */}}
{{- define "rotator.trail" -}}
{{- $trail := default dict .Values.config.trail }}
{{- if $trail.config_map }}{{ dict "name" $trail.config_map "namespace" (default .Release.Namespace $trail.namespace) | toJson }}{{ else }}{}{{ end }}
{{- end }}

{{- define "rotator.elects" -}}
{{- if and (eq .Values.mode "daemon") .Values.daemon.leaderElection }}true{{ end }}
{{- end }}

{{/* Does the rotator talk to the API server? Only then has its pod a token. */}}
{{- define "rotator.usesKubernetes" -}}
{{- if or (include "rotator.elects" .) .Values.rbac.restarts (include "rotator.secrets" . | fromJson) (include "rotator.trail" . | fromJson) }}true{{ else }}false{{ end }}
{{- end }}
