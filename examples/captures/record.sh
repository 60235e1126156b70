#!/usr/bin/env bash
# Record examples/captures/commute.pcap: real programs that talk inside three network namespaces of their own.
#
#   correspondent 10.0.1.2 ── router ── 10.0.2.2 mobile          tcpdump listens at the correspondent's interface
#
# usage: sudo ./record.sh [-t SECONDS] [-s SNAPLEN] [-d DOWN] [-u UP] [-o FILE]
#
#   -t SECONDS  length of the recording, at least 30                              (default 170)
#   -s SNAPLEN  bytes kept of each frame: 94 holds every Ethernet, IPv4 and TCP header with all its options
#               and no more than the first bytes of a payload; lengths stay true  (default 94)
#   -d DOWN     bottleneck towards the mobile, as tc writes rates                 (default 4mbit)
#   -u UP       bottleneck towards the correspondent                              (default 1mbit)
#   -o FILE     the capture to write, replaced when the recording is complete     (default commute.pcap beside the script)
#
# Needs root, Linux network namespaces and: ip, tc, ethtool, tcpdump, ffmpeg (libopus, libx264), nginx, curl, ping.
# On Debian: apt-get install iproute2 ethtool tcpdump ffmpeg nginx-light curl iputils-ping
#
# No packet leaves the namespaces. All content is synthetic: tones, noise, a test picture, files of zeros.
# At the end, at an error or at Ctrl-C the namespaces, the programs and the temporary files are removed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
duration=170 snaplen=94 down=4mbit up=1mbit out=$here/commute.pcap
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
while getopts t:s:d:u:o:h option; do
  case $option in
    t) duration=$OPTARG ;; s) snaplen=$OPTARG ;; d) down=$OPTARG ;; u) up=$OPTARG ;; o) out=$OPTARG ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
fail() { echo "record.sh: $1" >&2; exit "${2:-1}"; }
[[ $duration =~ ^[0-9]+$ && $duration -ge 30 ]] || fail "-t $duration: whole seconds, at least 30, are expected" 2
[[ $snaplen =~ ^[0-9]+$ && $snaplen -ge 94 ]] || fail "-s $snaplen: at least 94 bytes are needed to keep all headers" 2
[[ $EUID -eq 0 ]] || fail "network namespaces need root: run it with sudo" 2
for tool in ip tc ethtool tcpdump ffmpeg nginx curl ping; do
  command -v "$tool" >/dev/null || fail "$tool is missing; see the package list at the top of this script" 2
done

cn=handoff-cn-$$ router=handoff-router-$$ mn=handoff-mn-$$
cn_address=10.0.1.2 mn_address=10.0.2.2
work=$(mktemp -d)
pids=()
sources=()

clean_up() {
  trap - EXIT INT TERM
  ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  for namespace in "$cn" "$router" "$mn"; do ip netns del "$namespace" 2>/dev/null; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

in_ns() { local namespace=$1; shift; exec ip netns exec "$namespace" "$@"; }

# A program of the recording: in a namespace, in the background, its words kept for the error message.
start() { # name, namespace, command ...
  local name=$1; shift
  in_ns "$@" >"$work/$name.log" 2>&1 </dev/null &
  pids+=($!)
}

# ---------------------------------------------------------------- the network

for namespace in "$cn" "$router" "$mn"; do
  ip netns add "$namespace"
  # No IPv6: neighbour discovery and multicast listener reports would only be noise in the capture.
  ip netns exec "$namespace" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
ip -n "$router" link add to-cn type veth peer name eth0 netns "$cn"
ip -n "$router" link add to-mn type veth peer name eth0 netns "$mn"
for pair in "$cn:eth0" "$mn:eth0" "$router:to-cn" "$router:to-mn"; do
  # Without this the kernel hands over segments of up to 64 KiB and checksums that were never computed.
  ip netns exec "${pair%:*}" ethtool -K "${pair#*:}" tso off gso off gro off tx off >/dev/null
  ip -n "${pair%:*}" link set "${pair#*:}" up
done
ip -n "$cn" address add $cn_address/24 dev eth0
ip -n "$mn" address add $mn_address/24 dev eth0
ip -n "$router" address add 10.0.1.1/24 dev to-cn
ip -n "$router" address add 10.0.2.1/24 dev to-mn
ip -n "$cn" route add default via 10.0.1.1
ip -n "$mn" route add default via 10.0.2.1
ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
# A bottleneck on the way makes TCP find its own pace: round trips come from a queue, not from this machine's speed.
tc -n "$router" qdisc add dev to-mn root tbf rate "$down" burst 3028 latency 200ms
tc -n "$router" qdisc add dev to-cn root tbf rate "$up" burst 3028 latency 200ms

# ---------------------------------------------------------------- the server

mkdir "$work/www"
for kilobytes in 1 2 4 8 16 30 60 90 250 400; do
  head -c $((kilobytes * 1000)) /dev/zero >"$work/www/$kilobytes"
done
chmod -R a+rX "$work"
cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events {}
http {
  access_log off;
  keepalive_timeout 75s;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  server { listen $cn_address:80; root $work/www; }
}
CONF
start nginx "$cn" nginx -e "$work/nginx-error.log" -c "$work/nginx.conf"
for _ in {1..50}; do
  ip netns exec "$mn" curl -fso /dev/null "http://$cn_address/1" && break
  sleep 0.1
done

# ---------------------------------------------------------------- the recorder

# The two ends of the call never stop at the same instant; the port unreachable that follows is no part of it.
start tcpdump "$cn" tcpdump -i eth0 -n -s "$snaplen" --time-stamp-precision=nano -Z root -w "$work/capture.pcap" \
  'ip and not icmp[icmptype] == icmp-unreach'
recorder=${pids[-1]}
for _ in {1..50}; do
  grep -q 'listening on' "$work/tcpdump.log" && break
  sleep 0.1
done
grep -q 'listening on' "$work/tcpdump.log" || fail "tcpdump does not start: $(cat "$work/tcpdump.log")"

# ---------------------------------------------------------------- the traffic

talk=$((duration - 2)) # everything ends before the recorder does

# One source that must end by itself and well; its exit code is looked at when the recording ends.
source_of() { start "$@"; sources+=("$1:${pids[-1]}"); }

# A call: Opus in both directions between the ports 5004 (symmetric RTP). 20 ms frames towards the mobile; 60 ms back.
# The loudness swings as in speech, so the variable rate varies.
voice="(0.5+0.5*sin(2*PI*0.3*t))*(0.3*sin(2*PI*220*t)+0.2*sin(2*PI*660*t)+0.1*random(0))"
call() { # name, namespace, samples in a frame, frame in ms, rate, peer
  source_of "$1" "$2" ffmpeg -nostdin -v error -re -f lavfi -i "aevalsrc='$voice':s=48000:n=$3:d=$talk" \
    -c:a libopus -application voip -frame_duration "$4" -vbr on -b:a "$5" \
    -f rtp "rtp://$6:5004?localrtpport=5004&pkt_size=1200"
}
call call-down "$cn" 960 20 24k $mn_address
call call-up "$mn" 2880 60 16k $cn_address

# A video with a real receiver; without one every packet would be answered by ICMP port unreachable.
printf '%s\n' v=0 "o=- 0 0 IN IP4 $cn_address" s=video "c=IN IP4 $mn_address" t=0\ 0 \
  'm=video 5006 RTP/AVP 96' 'a=rtpmap:96 H264/90000' 'a=fmtp:96 packetization-mode=1' >"$work/video.sdp"
start video-receiver "$mn" ffmpeg -nostdin -v error -protocol_whitelist file,udp,rtp -i "$work/video.sdp" -c copy -f null -
source_of video "$cn" ffmpeg -nostdin -v error -re -f lavfi -i "testsrc2=size=320x180:rate=15:duration=$talk" \
  -c:v libx264 -preset veryfast -tune zerolatency -g 30 -b:v 130k -maxrate 130k -bufsize 130k -pix_fmt yuv420p \
  -f rtp "rtp://$mn_address:5006?localrtpport=5006&pkt_size=1200"

source_of ping "$mn" ping -q -n -i 1 -c "$talk" $cn_address

browse() { # name, seconds between two requests, then kilobytes, one after the other on one connection
  local name=$1 pause=$2 urls=() object
  shift 2
  for object; do urls+=(-o /dev/null "http://$cn_address/$object"); done
  source_of "$name" "$mn" curl -fsS --rate "$((60 / pause))/m" "${urls[@]}"
}
download() { # name, kilobytes, bytes per second that the application takes
  source_of "$1" "$mn" curl -fsS --limit-rate "$3" -o /dev/null "http://$cn_address/$2"
}

# Two connections that live for the whole ride: a reader, and an application that asks for news.
pages=(30 4 60 8 16 90 2 30 16 60 4 8) visits=() news=()
for ((i = 0; i < (talk - 5) / 5; i++)); do visits+=("${pages[i % ${#pages[@]}]}"); done
for ((i = 0; i < (talk - 5) / 2; i++)); do news+=(1); done
browse reading 5 "${visits[@]}"
browse polling 2 "${news[@]}"

began=$SECONDS
at() { local wait=$(( $1 - (SECONDS - began) )); ((wait <= 0)) || sleep "$wait"; }
at $((duration * 3 / 36));  browse shop-1 1 16 4 2 8 30 1
at $((duration * 6 / 36));  download film 400 25k
at $((duration * 15 / 36)); browse shop-2 2 30 8 16 2
at $((duration * 18 / 36)); download song 250 12k
at $((duration * 24 / 36)); browse photos 3 90 250 1
at $((duration * 28 / 36)); browse shop-3 1 60 2 2 16 4

for entry in "${sources[@]}"; do
  wait "${entry#*:}" || fail "${entry%%:*} ended with code $?: $(cat "$work/${entry%%:*}.log")"
done
sleep 1 # the last packets are still on their way through the queues
kill -INT "$recorder"
wait "$recorder" || fail "tcpdump ended with code $?: $(cat "$work/tcpdump.log")"
grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || fail "the recorder missed packets: $(cat "$work/tcpdump.log")"
mv "$work/capture.pcap" "$out"
chmod 644 "$out"
echo "$out: $(stat -c %s "$out") bytes"
