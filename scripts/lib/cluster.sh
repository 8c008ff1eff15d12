# shellcheck shell=bash
# How scripts ask something from inside a cluster. Sourced, not run; needs `namespace`, `image` and `kubectl`.

# inside NAME COMMAND…: run a command in a pod of its own, which is gone afterwards. What is to be sent goes by standard input,
# so that it stands in no argument. The pod keeps to the restricted security standard, and its label is the one that the
# network policies let in.
inside() {
  local name="$1-$RANDOM$RANDOM"
  shift
  # shellcheck disable=SC2154  # those who source this set them
  "$kubectl" -n "$namespace" run "$name" --rm -i --restart=Never --quiet --image="$image" \
    --labels=app.kubernetes.io/component=smoke-test --override-type=strategic --overrides='{
      "apiVersion": "v1",
      "spec": {
        "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
          "name": "'"$name"'",
          "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
        }]
      }
    }' --command -- "$@"
}
