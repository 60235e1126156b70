// Workloads W1 and W2 (bench/w1.py) in ns-3, with its standard models: UdpClient and UdpServer, Ipv4StaticRouting, point-to-point
// devices with drop-tail queues and no traffic control above them. PPP adds 2 bytes to a frame, so the payload is 2 bytes less.
// The tunnel of W2 follows ns-3's example of a VirtualNetDevice, but with raw sockets of protocol 4 (RFC 2003).
//
//   ns3 mobiles=1000 seconds=2 tunnel=0 scale=1
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"
#include "ns3/virtual-net-device-module.h"

#include "peer.hpp"

namespace {

using ns3::Ipv4Address;
using ns3::Ipv4Mask;
using ns3::Ptr;

constexpr std::uint16_t port = 5000, ipv4 = 0x0800;
constexpr std::uint8_t ip_in_ip = 4;
constexpr int headers = 20 + 8 + 2;  // IPv4, UDP, PPP

// 10.r.x.y is the home of the mobile nodes of router r, four addresses for each; 172.16.r.x is the wire to router r.
Ipv4Address home_net(std::uint32_t router) { return Ipv4Address(10u << 24 | router << 16); }
Ipv4Address mobile_net(std::uint32_t mobile) { return Ipv4Address(home_net(mobile % routers).Get() + 4 * (mobile / routers)); }
Ipv4Address mobile_address(std::uint32_t mobile) { return Ipv4Address(mobile_net(mobile).Get() + 2); }
Ipv4Address wire_net(std::uint32_t router) { return Ipv4Address(172u << 24 | 16u << 16 | router << 8); }
Ipv4Address care_of_address(std::uint32_t router) { return Ipv4Address(wire_net(router).Get() + 2); }

class Network {
 public:
  explicit Network(const Workload& w) : w_(w) {
    if (w.correspondents != 1 || w.few || !w.draws.empty() || w.mobiles > 14'000 * routers) {
      std::fprintf(stderr, "ns-3 runs W1 and W2 as they are: mobiles= seconds= tunnel= scale=\n");
      std::exit(2);
    }
    ends_.Create(2);
    routers_.Create(routers);
    mobiles_.Create(w.mobiles);
    ns3::InternetStackHelper stack;
    stack.SetRoutingHelper(ns3::Ipv4StaticRoutingHelper());
    stack.SetIpv6StackInstall(false);
    for (const ns3::NodeContainer& nodes : {ends_, routers_, mobiles_}) stack.Install(nodes);
    const Ptr<ns3::Node> cn = ends_.Get(0), ha = ends_.Get(1);
    connect(cn, ha, w.backbone(), 1000, Ipv4Address("192.168.0.0"));
    routing(cn)->SetDefaultRoute(Ipv4Address("192.168.0.2"), 1);
    for (std::uint32_t r = 0; r < routers; ++r) {
      const std::uint32_t out = connect(ha, routers_.Get(r), w.access(), 100, wire_net(r));
      if (w.tunnel) decapsulate_at(r);
      else routing(ha)->AddNetworkRouteTo(home_net(r), Ipv4Mask("/16"), care_of_address(r), out);
    }
    if (w.tunnel) encapsulate_at(ha);
    for (std::uint32_t m = 0; m < w.mobiles; ++m) connect(routers_.Get(m % routers), mobiles_.Get(m), w.radio(), 100, mobile_net(m));
    applications(cn);
  }

  Outcome run() {
    ns3::Simulator::Stop(ns3::PicoSeconds(w_.until));
    ns3::Simulator::Run();
    ns3::Simulator::Destroy();
    return out_;
  }

 private:
  // Assign addresses .1 and .2 of `net` to the two nodes; return the interface number at the first.
  std::uint32_t connect(Ptr<ns3::Node> from, Ptr<ns3::Node> to, const Link& link, int buffer_packets, Ipv4Address net) {
    ns3::PointToPointHelper helper;
    helper.SetDeviceAttribute("DataRate", ns3::DataRateValue(ns3::DataRate(8 * second / link.picoseconds_per_byte)));
    helper.SetChannelAttribute("Delay", ns3::TimeValue(ns3::PicoSeconds(link.delay)));
    helper.SetQueue("ns3::DropTailQueue", "MaxSize", ns3::StringValue(std::to_string(buffer_packets) + "p"));
    const ns3::NetDeviceContainer devices = helper.Install(from, to);
    const ns3::Ipv4InterfaceContainer both = ns3::Ipv4AddressHelper(net, Ipv4Mask("/30")).Assign(devices);
    ns3::TrafficControlHelper().Uninstall(devices);
    return both.Get(0).second;
  }

  static Ptr<ns3::Ipv4StaticRouting> routing(Ptr<ns3::Node> node) {
    return ns3::Ipv4StaticRoutingHelper().GetStaticRouting(node->GetObject<ns3::Ipv4>());
  }

  static Ptr<ns3::Socket> tunnel_socket(Ptr<ns3::Node> node) {
    const Ptr<ns3::Socket> socket = ns3::Socket::CreateSocket(node, ns3::TypeId::LookupByName("ns3::Ipv4RawSocketFactory"));
    socket->SetAttribute("Protocol", ns3::UintegerValue(ip_in_ip));
    socket->Bind();
    return socket;
  }

  static Ptr<ns3::VirtualNetDevice> virtual_device(Ptr<ns3::Node> node) {
    const Ptr<ns3::VirtualNetDevice> device = ns3::CreateObject<ns3::VirtualNetDevice>();
    device->SetAddress(ns3::Mac48Address::Allocate());
    node->AddDevice(device);
    const Ptr<ns3::Ipv4> ip = node->GetObject<ns3::Ipv4>();
    const std::uint32_t interface = ip->AddInterface(device);
    ip->AddAddress(interface, ns3::Ipv4InterfaceAddress(Ipv4Address("11.0.0.1"), Ipv4Mask("/32")));
    ip->SetUp(interface);
    return device;
  }

  void encapsulate_at(Ptr<ns3::Node> ha) {
    const Ptr<ns3::Socket> out = tunnel_socket(ha);
    const Ptr<ns3::VirtualNetDevice> device = virtual_device(ha);
    device->SetSendCallback([this, out](Ptr<ns3::Packet> packet, const ns3::Address&, const ns3::Address&, std::uint16_t) {
      ns3::Ipv4Header inner;
      packet->PeekHeader(inner);
      const std::uint32_t home = inner.GetDestination().Get();
      const std::uint32_t mobile = (home & 0xffff) / 4 * routers + (home >> 16 & 0xff);
      out->SendTo(packet, 0, ns3::InetSocketAddress(care_of_address(w_.care_of(mobile))));
      return true;
    });
    routing(ha)->AddNetworkRouteTo(Ipv4Address("10.0.0.0"), Ipv4Mask("/8"), ha->GetObject<ns3::Ipv4>()->GetInterfaceForDevice(device));
  }

  void decapsulate_at(std::uint32_t router) {
    const Ptr<ns3::VirtualNetDevice> device = virtual_device(routers_.Get(router));
    tunnel_socket(routers_.Get(router))->SetRecvCallback([device](Ptr<ns3::Socket> in) {
      while (const Ptr<ns3::Packet> packet = in->Recv()) {
        ns3::Ipv4Header outer;
        packet->RemoveHeader(outer);
        device->Receive(packet, ipv4, device->GetAddress(), device->GetAddress(), ns3::NetDevice::PACKET_HOST);
      }
    });
  }

  void applications(Ptr<ns3::Node> cn) {
    Phases phases(w_.period);
    const ns3::Callback<void, Ptr<const ns3::Packet>> received([this](Ptr<const ns3::Packet> packet) {
      ns3::SeqTsHeader header;
      packet->PeekHeader(header);
      ++out_.delivered;
      out_.delay_sum += (ns3::Simulator::Now() - header.GetTs()).GetPicoSeconds();
    });
    for (std::uint32_t m = 0; m < w_.mobiles; ++m) {
      const Ptr<ns3::UdpServer> server = ns3::CreateObject<ns3::UdpServer>();
      server->SetAttribute("Port", ns3::UintegerValue(port));
      server->TraceConnectWithoutContext("Rx", received);
      mobiles_.Get(m)->AddApplication(server);
      const Ptr<ns3::UdpClient> client = ns3::CreateObject<ns3::UdpClient>();
      client->SetRemote(ns3::InetSocketAddress(mobile_address(m), port));
      client->SetAttribute("Interval", ns3::TimeValue(ns3::PicoSeconds(w_.period)));
      client->SetAttribute("MaxPackets", ns3::UintegerValue(0));
      client->SetAttribute("PacketSize", ns3::UintegerValue(packet_bytes - headers));
      client->SetStartTime(ns3::PicoSeconds(phases.next()));
      cn->AddApplication(client);
    }
  }

  const Workload& w_;
  ns3::NodeContainer ends_, routers_, mobiles_;
  Outcome out_;
};

}  // namespace

int main(int argc, char** argv) {
  ns3::Time::SetResolution(ns3::Time::PS);
  const Workload workload(argc, argv);
  return report("ns-3", Network(workload));
}
