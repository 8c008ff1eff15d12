{{/* `<release>-xin-platform`, the beginning of every name. */}}
{{- define "xin.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "xin.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Takes {root, component, track}. A canary has labels of its own, so that no selector finds both. */}}
{{- define "xin.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
xin/track: {{ .track }}
{{- end -}}

{{- define "xin.image" -}}
{{- printf "%s/%s:%s" (.root.Values.image.registry | trimSuffix "/") .component (.tag | default .root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{- define "xin.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "xin.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A setting's value as the program reads it. Helm has every number as a float, and writes 1000000 as 1e+06. */}}
{{- define "xin.setting" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}{{ else }}{{ toString . }}{{ end -}}
{{- end -}}

{{/* Settings that are no secret, then the secrets. Takes {root, values}. */}}
{{- define "xin.envFrom" -}}
- configMapRef:
    name: {{ include "xin.fullname" .root }}-config
{{- range .values.secretRefs | default .root.Values.secretRefs }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- end -}}

{{/* Only these are written to: the root file system is read-only. Takes {root, values}. */}}
{{- define "xin.volumes" -}}
{{- $size := .values.scratchSizeLimit | default .root.Values.scratch.sizeLimit }}
- name: data
  emptyDir:
    sizeLimit: {{ $size }}
- name: tmp
  emptyDir:
    sizeLimit: {{ $size }}
{{- with .root.Values.persistence.existingClaim }}
- name: uploads
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with .values.existingClaim }}
- name: backups
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- end -}}

{{- define "xin.volumeMounts" -}}
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- if .root.Values.persistence.existingClaim }}
- name: uploads
  mountPath: /data/uploads
{{- end }}
{{- if .values.existingClaim }}
- name: backups
  mountPath: /data/backups
{{- end }}
{{- end -}}
