// Workloads W1 and W2 (bench/w1.py) as the barest loop that gives the same answer: no heap, no features, nothing checked.
//
// Time goes on in windows of the smallest delay, so what is sent in a window arrives in a later one, and each place can
// be visited once a window, upstream first. Each link is a ring in order of arrival.
//
//   floor mobiles=1000 seconds=60 tunnel=0 scale=1
#include "peer.hpp"

namespace {

struct Packet {
  Time arrival;
  Time born;
  std::uint32_t mobile;
  std::uint32_t size;
};

class Ring {
 public:
  bool before(Time end) const { return head_ != tail_ && slots_[head_ & mask_].arrival < end; }
  bool empty() const { return head_ == tail_; }
  const Packet& pop() { return slots_[head_++ & mask_]; }
  void push(const Packet& p) {
    if (tail_ - head_ > mask_) grow();
    slots_[tail_++ & mask_] = p;
  }

 private:
  void grow() {
    std::vector<Packet> larger(2 * slots_.size());
    std::uint32_t n = 0;
    while (head_ != tail_) larger[n++] = pop();
    slots_.swap(larger);
    mask_ = static_cast<std::uint32_t>(slots_.size()) - 1;
    head_ = 0;
    tail_ = n;
  }

  std::vector<Packet> slots_ = std::vector<Packet>(2);
  std::uint32_t mask_ = 1, head_ = 0, tail_ = 0;
};

struct Wire {
  Link link;
  Ring ring;
  explicit Wire(const Link& l) : link(l) {}
};

struct Stream {
  Time next;
  std::uint32_t mobile;
};

class Loop {
 public:
  explicit Loop(const Workload& w) : w_(w), backbone_(w.backbone()), access_(routers, Wire(w.access())), radio_(w.mobiles, Wire(w.radio())), listed_(w.mobiles) {
    Phases phases;
    for (std::uint32_t m = 0; m < w.mobiles; ++m) streams_.push_back({phases.next(), m});
    std::sort(streams_.begin(), streams_.end(), [](const Stream& a, const Stream& b) { return a.next < b.next; });
  }

  Outcome run() {
    const Time window = radio_.front().link.delay;
    for (Time begin = 0; begin < w_.until; begin += window) {
      const Time end = std::min(begin + window, w_.until);
      emit(end);
      home_agent(end);
      for (Wire& in : access_) router(in, end);
      receive(end);
    }
    return out_;
  }

 private:
  void emit(Time end) {  // equal periods: the streams stay in the order of their phases, round and round
    while (streams_[turn_].next < end) {
      Stream& s = streams_[turn_];
      transmit(backbone_, {s.next, s.next, s.mobile, packet_bytes});
      s.next += period;
      if (++turn_ == streams_.size()) turn_ = 0;
    }
  }

  void home_agent(Time end) {
    while (backbone_.ring.before(end)) {
      Packet p = backbone_.ring.pop();
      if (w_.tunnel) p.size += tunnel_header;
      transmit(access_[w_.care_of(p.mobile)], p);
    }
  }

  void router(Wire& in, Time end) {
    while (in.ring.before(end)) {
      Packet p = in.ring.pop();
      if (w_.tunnel) p.size -= tunnel_header;
      if (transmit(radio_[p.mobile], p) && !listed_[p.mobile]) {
        listed_[p.mobile] = 1;
        busy_.push_back(p.mobile);
      }
    }
  }

  void receive(Time end) {
    std::size_t kept = 0;
    for (const std::uint32_t mobile : busy_) {
      Ring& in = radio_[mobile].ring;
      while (in.before(end)) {
        const Packet& p = in.pop();
        ++out_.delivered;
        out_.delay_sum += p.arrival - p.born;
      }
      if (in.empty()) listed_[mobile] = 0;
      else busy_[kept++] = mobile;
    }
    busy_.resize(kept);
  }

  bool transmit(Wire& wire, Packet p) {
    if (!wire.link.accept(p.arrival, static_cast<int>(p.size))) {
      ++out_.dropped;
      return false;
    }
    p.arrival = wire.link.arrival();
    wire.ring.push(p);
    return true;
  }

  const Workload& w_;
  Wire backbone_;
  std::vector<Wire> access_, radio_;
  std::vector<Stream> streams_;
  std::size_t turn_ = 0;
  std::vector<std::uint8_t> listed_;  // whether a mobile stands in busy_
  std::vector<std::uint32_t> busy_;   // mobiles with packets on the radio
  Outcome out_;
};

}  // namespace

int main(int argc, char** argv) {
  return report("floor", Workload(argc, argv), [](const Workload& w) { return Loop(w).run(); });
}
