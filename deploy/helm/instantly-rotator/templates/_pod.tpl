{{/* What both kinds of pod share: who they are and where they run. */}}
{{- define "rotator.podSpec" -}}
serviceAccountName: {{ include "rotator.serviceAccount" . }}
automountServiceAccountToken: {{ include "rotator.usesKubernetes" . }}
# Longer than the shutdown timeout: the step in hand is finished.
terminationGracePeriodSeconds: {{ add .Values.daemon.shutdownTimeoutSeconds 15 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- with .Values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "rotator.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- with .Values.extraInitContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    configMap: {name: {{ include "rotator.fullname" . }}}
{{- with .Values.adminKey.existingSecret }}
  - name: admin-key
    secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.trail.keySecret }}
  - name: trail-key
    secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- if eq .Values.mode "daemon" }}
  - name: token
    secret: {secretName: {{ include "rotator.tokenSecret" . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What both containers share. */}}
{{- define "rotator.container" -}}
image: {{ include "rotator.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with .Values.extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
env:
  - name: INSTANTLY_ROTATOR_CONFIG
    value: /etc/instantly-rotator/config.yaml
  - name: POD_NAMESPACE
    valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- if and (eq .Values.mode "cronjob") (gt (int .Values.cronjob.shards) 1) }}
  # Kubernetes tells a pod its index, not how many there are.
  - name: JOB_COMPLETIONS
    value: {{ .Values.cronjob.shards | quote }}
{{- end }}
{{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  # Folders, not single files (subPath): those would never change.
  - {name: config, mountPath: /etc/instantly-rotator, readOnly: true}
{{- if .Values.adminKey.existingSecret }}
  - {name: admin-key, mountPath: /run/secrets/instantly, readOnly: true}
{{- end }}
{{- if .Values.trail.keySecret }}
  - {name: trail-key, mountPath: /run/secrets/trail, readOnly: true}
{{- end }}
{{- if eq .Values.mode "daemon" }}
  - {name: token, mountPath: /run/secrets/token, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
