//! Content in which IP packets may be, but that is not looked into.

/// Offset and version (4 or 6) of an IP header, or the reason why there is none.
pub type IpPosition = std::result::Result<(usize, u8), Opaque>;

macro_rules! define_opaque {
    ($($variant:ident => $name:literal,)+) => {
        /// Why no IP packet was found in a frame or a tunnel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Opaque {
            /// Another protocol than IP, or a frame cut before its IP header. It is not counted.
            NotIp,
            $($variant,)+
        }

        impl Opaque {
            pub const ALL: &'static [Opaque] = &[$(Opaque::$variant,)+];
            pub const COUNT: usize = Opaque::ALL.len() + 1;

            pub fn name(self) -> &'static str {
                match self {
                    Opaque::NotIp => "not IP",
                    $(Opaque::$variant => $name,)+
                }
            }
        }
    };
}

define_opaque! {
    Macsec => "MACsec (IEEE 802.1AE)",
    Pseudowire => "MPLS payload other than IP, as a pseudowire",
    ProviderBackbone => "provider backbone bridge (IEEE 802.1ah)",
    Trill => "TRILL (RFC 6325)",
    ServiceHeader => "network service header (RFC 8300)",
    WifiEncrypted => "IEEE 802.11 data, encrypted",
    WifiFragment => "IEEE 802.11 data, later fragment",
    WifiAggregate => "IEEE 802.11 data, further packets of an aggregate (A-MSDU)",
    WifiDamaged => "IEEE 802.11 frame with a wrong checksum or a damaged radiotap header",
    PppTransformed => "PPP, compressed, encrypted or multilink",
    Esp => "ESP (RFC 4303)",
    EspInUdp => "ESP in UDP (RFC 3948)",
    WireGuard => "WireGuard",
    L2tp => "L2TP (RFC 2661, RFC 3931)",
    GreOther => "GRE with source routes or another payload than IP",
    EtherIp => "Ethernet in IP (RFC 3378)",
    GtpOther => "GTP-U with another payload than IP",
    GeneveOther => "Geneve with another payload than IP",
    TooDeep => "more than eight tunnels around a packet",
    CutTunnel => "tunnel cut off before the IP header in it",
}
