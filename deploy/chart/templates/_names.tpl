{{- define "auditor.labels" -}}
app.kubernetes.io/name: auditor-webhook
app.kubernetes.io/part-of: auditor
{{- end }}

{{- define "auditor.metadata" -}}
name: auditor-webhook
namespace: {{ .Release.Namespace }}
labels:
  {{- include "auditor.labels" . | nindent 2 }}
{{- end }}

{{- define "auditor.host" -}}
auditor-webhook.{{ .Release.Namespace }}.svc
{{- end }}
