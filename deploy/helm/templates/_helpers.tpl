{{/* The name of all objects: that of the release, with the chart's unless it contains it. */}}
{{- define "windlass.name" -}}
{{- if contains "windlass" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-windlass" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "windlass.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "windlass.name" .) -}}
{{- else -}}
{{- required "serviceAccount.name: set it to the name of an existing service account, or set serviceAccount.create" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of the server; it can never change. */}}
{{- define "windlass.selector" -}}
app.kubernetes.io/name: windlass
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The database has a name of its own, so that no selector of the server finds it. */}}
{{- define "windlass.databaseSelector" -}}
app.kubernetes.io/name: windlass-postgres
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "windlass.common" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "windlass.labels" -}}
{{ include "windlass.selector" . }}
{{ include "windlass.common" . }}
{{- end -}}

{{- define "windlass.image" -}}
{{- $repository := required "image.repository: set it to the image in the registry that you have pushed it to, such as registry.example.com/windlass" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "windlass.claim" -}}
{{- .Values.persistence.existingClaim | default (printf "%s-data" (include "windlass.name" .)) -}}
{{- end -}}

{{- define "windlass.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host -}}
{{- else -}}
http://localhost:8080
{{- end -}}
{{- end -}}

{{/* What the schema of the values cannot say in words that help. */}}
{{- define "windlass.check" -}}
{{- if eq .Values.database.kind "sqlite" -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- fail "replicas: SQLite allows one server; set database.kind to postgresql for several" -}}
{{- end -}}
{{- if .Values.postgresql.bundled -}}
{{- fail "postgresql.bundled: set database.kind to postgresql to use it" -}}
{{- end -}}
{{- else if not .Values.existingSecret -}}
{{- fail "existingSecret: PostgreSQL needs the name of a Secret with the keys database-url and secret.key" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: set it to the name under which clients reach the server" -}}
{{- end -}}
{{- if hasKey .Values.settings "WINDLASS_TLS_CERTIFICATE" -}}
{{- fail "settings.WINDLASS_TLS_CERTIFICATE: the probes and the Service speak plain HTTP; let the ingress terminate TLS" -}}
{{- end -}}
{{- range $name, $value := .Values.settings -}}
{{- if has $name (list "WINDLASS_LISTEN" "WINDLASS_DATA_DIR" "WINDLASS_DATABASE_URL" "WINDLASS_SECRET_KEY_FILE" "WINDLASS_IN_CLUSTER" "WINDLASS_PUBLIC_URL") -}}
{{- fail (printf "settings.%s: the chart sets it; see the values database, existingSecret, inCluster and publicUrl" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
