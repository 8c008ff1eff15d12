{{/*
The deployment of one process. Takes {root, component, facts, values, track, tag}; track is stable or canary.
*/}}
{{- define "xin.deployment" -}}
{{- $root := .root -}}
{{- $facts := .facts -}}
{{- $values := .values -}}
{{- $canary := eq .track "canary" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "xin.fullname" $root }}-{{ .component }}{{ if $canary }}-canary{{ end }}
  labels:
    {{- include "xin.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    xin/track: {{ .track }}
spec:
  {{- if $canary }}
  replicas: 0  # scripts/deploy/canary.py starts it and ends it
  {{- else if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "xin.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "xin.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        xin/track: {{ .track }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ index $facts.ports $facts.metrics | quote }}
        prometheus.io/path: /metrics
        checksum/config: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "xin.fullname" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $root.Values.shutdown.gracePeriodSeconds }}
      securityContext:
        {{- include "xin.podSecurity" $root | nindent 8 }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "xin.selector" $ | nindent 14 }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $facts.container }}
          image: {{ include "xin.image" . }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- include "xin.containerSecurity" $root | nindent 12 }}
          ports:
            {{- range $name, $number := $facts.ports }}
            - name: {{ $name }}
              containerPort: {{ $number }}
            {{- end }}
          {{- if $facts.static }}
          env:
            - name: FRONTEND_PORT
              value: {{ $facts.ports.http | quote }}
            - name: GATEWAY_PUBLIC_URL
              value: {{ $root.Values.config.GATEWAY_PUBLIC_URL | quote }}
            - name: GATEWAY_SOCKET_URL
              value: {{ regexReplaceAll "^http" $root.Values.config.GATEWAY_PUBLIC_URL "ws" | quote }}
          {{- else }}
          envFrom:
            {{- include "xin.envFrom" . | nindent 12 }}
          env:
            {{- range $setting, $port := $facts.env }}
            - name: {{ $setting }}
              value: {{ index $facts.ports $port | quote }}
            {{- end }}
            {{- if $canary }}
            - name: MIGRATE_ONLY_COMPATIBLE  # stable pods work on the same database
              value: "true"
            {{- end }}
            {{- range $setting, $value := $values.env }}
            - name: {{ $setting }}
              value: {{ include "xin.setting" $value | quote }}
            {{- end }}
          {{- end }}
          startupProbe:
            httpGet: {path: {{ $facts.probe.live }}, port: {{ $facts.probe.port }}}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 60  # the first start migrates the database
          livenessProbe:
            httpGet: {path: {{ $facts.probe.live }}, port: {{ $facts.probe.port }}}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: {{ $facts.probe.ready }}, port: {{ $facts.probe.port }}}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          lifecycle:
            preStop:
              exec:
                command: [sleep, {{ $root.Values.shutdown.preStopSeconds | quote }}]
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- if $facts.static }}
            - {name: tmp, mountPath: /tmp}
            {{- else }}
            {{- include "xin.volumeMounts" . | nindent 12 }}
            {{- end }}
      volumes:
        {{- if $facts.static }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- else }}
        {{- include "xin.volumes" . | nindent 8 }}
        {{- end }}
{{- end -}}
