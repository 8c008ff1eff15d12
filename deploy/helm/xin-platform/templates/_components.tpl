{{/*
What each process opens and answers. These are facts of the program, not choices of an installation, so they stand here
and not in the values; tests/deploy holds them to the program's own defaults and routes.

container: its name in the pod, as `kubectl logs -c` takes it
values:    the key of its values
ports:     name to number; the first that is named in `probe` is the service's first
env:       which setting of the program names which port
*/}}
{{- define "xin.components" -}}
orchestrator:
  container: orchestrator
  values: orchestrator
  ports: {http: 8000}
  env: {ORCHESTRATOR_PORT: http}
  probe: {port: http, live: /health/live, ready: /health/ready}
  metrics: http
channel-gateway:
  container: channel-gateway
  values: channelGateway
  ports: {http: 8080, metrics: 9102}
  env: {GATEWAY_PORT: http, GATEWAY_METRICS_PORT: metrics}
  probe: {port: http, live: /health/live, ready: /health/ready}
  metrics: metrics
ingestion-worker:
  container: ingestion-worker
  values: ingestionWorker
  ports: {metrics: 9103}
  env: {INGEST_METRICS_PORT: metrics}
  probe: {port: metrics, live: /health/live, ready: /health/ready}
  metrics: metrics
automation-worker:
  container: automation
  values: automationWorker
  ports: {metrics: 9104}
  env: {AUTOMATION_METRICS_PORT: metrics}
  probe: {port: metrics, live: /health/live, ready: /health/ready}
  metrics: metrics
bot-manager:
  container: bot-manager
  values: botManager
  ports: {metrics: 9105}
  env: {BOT_MANAGER_METRICS_PORT: metrics}
  probe: {port: metrics, live: /health/live, ready: /health/ready}
  metrics: metrics
frontend:
  container: frontend
  values: frontend
  ports: {http: 8081}
  env: {}
  probe: {port: http, live: /health, ready: /health}
  metrics: http
  static: true
{{- end -}}

{{/*
What the outside may reach, by process. `/metrics` and `/internal` are for the inside and in no list.
*/}}
{{- define "xin.paths" -}}
frontend: [/console, /embed.js, /embed.js.map, /widget]
orchestrator: [/admin, /api, /auth, /v1, /ops, /docs, /openapi.json, /bots.config.json, /health]
channel-gateway: [/webhooks, /webchat, /ws, /health]
{{- end -}}
