#!/usr/bin/env bash
# Proves the image where there is no container engine: runs the steps of the Dockerfile in order, in a root of its own
# (the operating system is this machine's /usr, read-only; Node is the repository's pinned one), then starts its command
# as an engine would, hardened as in compose.yaml, and talks to it.
#
# Needs root, for namespaces, and the repository's `npm ci`. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

repository=$PWD
pinned_node=$repository/node_modules/node/bin/node
[[ $EUID == 0 ]] || { echo "Run as root: it makes namespaces." >&2; exit 1; }
[[ -x $pinned_node ]] || { echo "Run npm ci first: it brings the pinned Node." >&2; exit 1; }

work=$(mktemp -d)
container=
clean_up() {
  [[ -z $container ]] || kill -KILL "$container" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*" >&2
  [[ ! -s $work/log ]] || tail -n 20 "$work/log" >&2
  exit 1
}

passed() { echo "ok: $*"; }

# ---------------------------------------------------------------- the build context

context=$work/context
mkdir "$context"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [[ -f $file ]] && printf '%s\0' "$file"
done | tar --null --files-from=- --create | tar --extract --directory="$context" --no-same-owner
# What a developer's directory holds besides, and no image may.
canary=canary-$RANDOM$RANDOM
mkdir -p "$context"/{.git,data,node_modules/left-over}
for file in .env src/.env .git/config data/chat.db node_modules/left-over/index.js src/left-over.test.ts; do
  echo "$canary" >"$context/$file"
done

# The patterns that our .dockerignore uses: the last one that matches a path, or a directory above it, decides.
is_ignored() {
  local path=$1 line pattern ignored=1
  while IFS= read -r line; do
    [[ -n $line && $line != '#'* ]] || continue
    pattern=${line#!}
    # shellcheck disable=SC2053 # the pattern is meant as one
    if [[ $path == $pattern || $path == $pattern/* ]]; then
      if [[ $line == '!'* ]]; then ignored=1; else ignored=0; fi
    fi
  done <"$repository/.dockerignore"
  return $ignored
}

(cd "$context" && find . -type f -printf '%P\0') | while IFS= read -r -d '' file; do
  if is_ignored "$file"; then rm "$context/$file"; fi
done
find "$context" -type d -empty -delete

# ---------------------------------------------------------------- roots and namespaces

# enter ROOT MODE USER DIRECTORY VARIABLES… -- COMMAND…: replaces the calling process, which has its own mount namespace.
cat >"$work/enter" <<'ENTER'
#!/usr/bin/env bash
set -euo pipefail
root=$1 mode=$2 user=$3 directory=$4 work=$5
shift 5
variables=()
while [[ $1 != -- ]]; do variables+=("$1"); shift; done
shift
mount --bind "$root" "$root"
mount --rbind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount --bind "$work/usr-local" "$root/usr/local"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=64m,noexec,nosuid tmpfs "$root/tmp"
limits=()
if [[ $mode == run ]]; then
  mount -o remount,bind,ro "$root"
  mount --bind "$work/volume" "$root/data"
  ip link set lo up
  limits=(--no-new-privs --bounding-set=-all --inh-caps=-all)
fi
exec chroot "$root" setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups "${limits[@]}" \
  env --ignore-environment --chdir="$directory" "${variables[@]}" "$@"
ENTER
chmod +x "$work/enter"

mkdir -p "$work/usr-local/bin"
cp "$pinned_node" "$work/usr-local/bin/node"
chmod -R a+rX "$work/usr-local"

new_root() {
  local root=$1
  mkdir -p "$root"/{usr,dev,proc,tmp,etc,root}
  chmod 755 "$root"
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  cp -rL /etc/ssl /etc/resolv.conf /etc/hosts /etc/ld.so.cache "$root/etc/" 2>/dev/null || true
  printf 'root:x:0:0::/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  mkdir -p "$root/etc/alternatives" && cp -P /etc/alternatives/* "$root/etc/alternatives/" 2>/dev/null || true
}

# What building needs to reach a registry from here; no part of the image.
build_variables=()
for name in $(compgen -e | grep -iE '^(https?_proxy|no_proxy|npm_config_.*)$' || true); do
  build_variables+=("$name=${!name}")
done

path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# ---------------------------------------------------------------- the Dockerfile, step by step

declare -A stages=()
root='' directory=/ user=0:0 command='' healthcheck=''
variables=()

json_words() { "$pinned_node" -e 'for (const word of JSON.parse(process.argv[1])) process.stdout.write(`${word}\0`)' "$1"; }

copy_step() {
  local from=$context sources target
  if [[ $1 == --from=* ]]; then from=${stages[${1#--from=}]}; shift; fi
  sources=("${@:1:$#-1}")
  target=${!#}
  [[ $target == /* ]] || target=$directory/$target
  for source in "${sources[@]}"; do
    if [[ -d $from/$source ]]; then
      mkdir -p "$root/$target" && cp -r "$from/$source/." "$root/$target/"
    else
      [[ -f $from/$source ]] || fail "COPY: no $source in the build context"
      mkdir -p "$root/$target" && cp "$from/$source" "$root/$target/"
    fi
  done
  chown -R 0:0 "$root/$target"
}

run_step() {
  local extra=("${build_variables[@]}")
  if [[ -n ${NODE_EXTRA_CA_CERTS:-} ]]; then
    cp "$NODE_EXTRA_CA_CERTS" "$root/etc/extra-ca.pem"
    extra+=(NODE_EXTRA_CA_CERTS=/etc/extra-ca.pem)
  fi
  unshare --mount --pid --fork "$work/enter" "$root" build "$user" "$directory" "$work" \
    "PATH=$path" HOME=/root "${variables[@]}" "${extra[@]}" -- sh -c "$*"
}

steps=$(sed -E '/^\s*(#|$)/d' Dockerfile | sed -E ':join; /\\$/ { N; s/\s*\\\n\s*/ /; b join }')
while IFS= read -r step; do
  echo "STEP $step"
  read -r instruction arguments <<<"$step"
  read -ra words <<<"$arguments"
  case $instruction in
    FROM)
      [[ ${words[0]} =~ ^node:([0-9.]+)-[a-z-]+$ ]] || fail "the base is not an official Node image by version"
      [[ v${BASH_REMATCH[1]} == "$("$pinned_node" --version)" ]] || fail "the base has another Node than package.json"
      root=$work/root-${#stages[@]} directory=/ user=0:0 variables=()
      stages[${words[2]:-last}]=$root
      new_root "$root"
      ;;
    WORKDIR) directory=${words[0]} && mkdir -p "$root$directory" ;;
    ENV) variables+=("${words[@]}") ;;
    USER) user=${words[0]} ;;
    COPY) copy_step "${words[@]}" ;;
    RUN) run_step "$arguments" </dev/null ;;
    HEALTHCHECK) healthcheck=${arguments#*CMD } ;;
    CMD) command=$arguments ;;
    VOLUME | EXPOSE) ;;
    *) fail "this script does not know the instruction $instruction" ;;
  esac
done <<<"$steps"
passed "every step of the Dockerfile"

# ---------------------------------------------------------------- what is in the image

image=$root
! grep -rqs "$canary" "$image/app" "$image/data" || fail "a file that .dockerignore names is in the image"
[[ -z $(find "$image/app" -name '.env*' -not -path '*/node_modules/*') ]] || fail "a .env file is in the image"
[[ -z $(find "$image/app/src" -name '*.test.ts') ]] || fail "tests are in the image"
[[ $(ls -A "$image/app" | sort | xargs) == "knowledge node_modules package.json src web" ]] ||
  fail "/app holds something else: $(ls -A "$image/app" | xargs)"
[[ $(ls -A "$image/app/web") == dist && -s $image/app/web/dist/index.html.br ]] || fail "the page was not built"
passed "only src, knowledge, package.json, node_modules and the built page are copied, and no .env, data or tests"

"$pinned_node" -e '
  const { existsSync } = require("node:fs");
  const [, image] = process.argv;
  const { packages } = require(`${process.cwd()}/package-lock.json`);
  const { dependencies } = require(`${process.cwd()}/package.json`);
  const present = (name) => existsSync(`${image}/app/${name}`);
  const extra = Object.keys(packages).filter((name) => packages[name].dev && present(name));
  const missing = Object.keys(dependencies).filter((name) => !present(`node_modules/${name}`));
  if (extra.length + missing.length > 0) throw new Error(`${extra} / missing ${missing}`);
' "$image" || fail "node_modules is not what production needs"
passed "all production packages and no development packages ($(du -sm "$image/app/node_modules" | cut -f1) MB)"

# ---------------------------------------------------------------- running it

mapfile -d '' -t command_words < <(json_words "$command")
mapfile -d '' -t healthcheck_words < <(json_words "$healthcheck")
# A new volume has the owner and the mode of the directory in the image.
mkdir "$work/volume"
chown --reference="$image/data" "$work/volume"
chmod --reference="$image/data" "$work/volume"

start() {
  unshare --mount --pid --net --fork "$work/enter" "$image" run "$user" "$directory" "$work" \
    "PATH=$path" HOME=/ "${variables[@]}" -- "${command_words[@]}" >>"$work/log" 2>&1 &
  unshare_process=$!
  for ((attempt = 0; attempt < 150; attempt++)); do
    container=$(pgrep -P "$unshare_process" || true)
    if [[ -n $container ]] && inside "${healthcheck_words[@]}" 2>/dev/null; then return; fi
    kill -0 "$unshare_process" 2>/dev/null || fail "it exited at start"
    sleep 0.2
  done
  fail "the health check did not pass within 30 s"
}

# As `docker exec`: in the namespaces of the running process, as its user.
inside() {
  nsenter --target "$container" --mount --net --root --wd \
    setpriv --reuid="${user%:*}" --regid="${user#*:}" --clear-groups env --ignore-environment "PATH=$path" "${variables[@]}" "$@"
}

on_network() { nsenter --target "$container" --net "$@"; }

stop() {
  local started=$SECONDS status=0
  kill -TERM "$container"
  wait "$unshare_process" || status=$?
  container=
  [[ $status == 0 ]] || fail "it exited with $status after SIGTERM"
  ((SECONDS - started <= 30)) || fail "it took $((SECONDS - started)) s to stop"
}

status_line() { awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$container/status"; }

start
[[ $(status_line Uid | xargs) == "10001 10001 10001 10001" ]] || fail "it runs as $(status_line Uid)"
[[ $(status_line NSpid | awk '{ print $NF }') == 1 ]] || fail "it is not process 1"
[[ $(status_line CapBnd) =~ ^0+$ && $(status_line CapEff) =~ ^0+$ ]] || fail "it has capabilities"
[[ $(readlink "/proc/$container/exe") == */node ]] || fail "process 1 is not Node"
passed "Node is process 1, as uid 10001 without capabilities"
[[ $(awk '$5 == "/" { print $6 }' "/proc/$container/mountinfo") == ro,* ]] || fail "the root is writable"
if inside sh -c 'touch /app/written' 2>/dev/null; then fail "the application's directory is writable"; fi
[[ -s $work/volume/chat.db ]] || fail "the database is not in the volume"
[[ $(stat -c %u "$work/volume/chat.db") == 10001 ]] || fail "the database belongs to somebody else"
passed "the root is read-only and the database is in /data"

# The three lines of the README, as typed.
opened=$(on_network curl -sS 'http://127.0.0.1:8000?username=TR')
session=$("$pinned_node" -p 'JSON.parse(process.argv[1]).session_id' "$opened")
[[ $session =~ ^[0-9a-f]{32}$ ]] || fail "opening a session answered $opened"
answer=$(on_network curl -sS -X PUT "http://127.0.0.1:8000/chat/$session" -H 'Content-Type: application/json' -d '{"payload": "Hello! What is your name?"}')
[[ $answer == *'event: end'*'"status":"completed"'* ]] || fail "the prompt was answered with $answer"
read_history() { on_network curl -sS "http://127.0.0.1:8000/chat_history/$session"; }
history=$(read_history)
[[ $history == *'Hello! What is your name?'*'"role":"assistant"'* ]] || fail "the history is $history"
passed "the health check and the three curl lines"
page=$(on_network curl -sS -H 'Accept: text/html' http://127.0.0.1:8000)
script=$(sed -nE 's#.*src="(/assets/index-[^"]+)".*#\1#p' <<<"$page")
[[ -n $script ]] || fail "a browser got $page"
[[ $(on_network curl -sSI -H 'Accept-Encoding: br' "http://127.0.0.1:8000$script") == *'content-encoding: br'* ]] ||
  fail "$script does not come compressed"
passed "a browser gets the chat page"

# As docs/authentication.md says, beside the service on its own file.
key=$(inside node src/commands/keys.ts create --owner my-backend 2>/dev/null)
[[ $key =~ ^chatkey_[A-Za-z0-9_-]{43}$ ]] || fail "making a key printed $key"
[[ $(inside node src/commands/keys.ts list | cut -f 2) == my-backend ]] || fail "the key is not listed"
passed "a key is made and listed in the container while the service runs"

stop
passed "SIGTERM ends it with exit code 0"
start
[[ $(read_history) == "$history" ]] || fail "a new container on the same volume has another history"
stop
passed "a new container on the same volume has the same history"
! grep -q "Hello! What is your name?" "$work/log" || fail "the log holds a prompt"
passed "the log holds no prompt"
