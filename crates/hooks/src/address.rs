//! Which addresses nothing is posted to: those of the link, where machines of clouds are told their own
//! secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// What a lookup fails with where only such addresses were found.
pub(crate) const REFUSED: &str = "link-local addresses are refused";

/// Whether an address is link-local: 169.254.0.0/16 or fe80::/10, however it is written. The address that
/// tells machines about themselves is among them, and so is its IPv6 form, fd00:ec2::254.
///
/// ```
/// use dalsegno_hooks::is_refused;
///
/// assert!(is_refused("169.254.169.254".parse()?));
/// assert!(is_refused("::ffff:169.254.169.254".parse()?));
/// assert!(!is_refused("127.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6 == METADATA
                || embedded(v6).is_some_and(|v4| v4.is_link_local())
        }
    }
}

const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64) or 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            Some(v4(g, h))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Looks names up as usual, and lets no refused address through: what it gives is what is connected to, so
/// that a name that leads elsewhere a moment later gains nothing.
#[derive(Debug, Default)]
pub(crate) struct Filtered<R = DefaultResolver>(pub(crate) R);

impl<R: Resolver> Resolver for Filtered<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| !is_refused(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() && !found.is_empty() {
            return Err(ureq::Error::BadUri(REFUSED.to_owned()));
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn link_local_in_every_spelling() {
        for refused in [
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "fe80::1",
            "febf:ffff::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
        ] {
            assert!(is_refused(refused.parse().unwrap()), "{refused}");
        }
        for allowed in [
            "127.0.0.1",
            "10.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "192.0.2.1",
            "::1",
            "fec0::1",
            "fd00::1",
            "2001:db8::a9fe:a9fe",
            "::ffff:127.0.0.1",
            "64:ff9b::192.0.2.1",
        ] {
            assert!(!is_refused(allowed.parse().unwrap()), "{allowed}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_mapped_address_is_judged_as_the_address(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            proptest::prop_assert_eq!(is_refused(v4.into()), v4.is_link_local());
            proptest::prop_assert_eq!(is_refused(v4.to_ipv6_mapped().into()), v4.is_link_local());
        }
    }

    /// A name server that answers what it is told to.
    #[derive(Debug)]
    struct Names(Vec<SocketAddr>);

    impl Resolver for Names {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            for address in &self.0 {
                found.push(*address);
            }
            Ok(found)
        }
    }

    fn found(addresses: &[&str]) -> Result<Vec<String>, String> {
        let names = Names(addresses.iter().map(|a| a.parse().unwrap()).collect());
        let uri = Uri::from_static("http://innocent.example/");
        let config = Config::default();
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            reason: ureq::Timeout::Global,
            ..NextTimeout::default()
        };
        let found = Filtered(names).resolve(&uri, &config, timeout);
        let found = found.map(|found| found.iter().map(ToString::to_string).collect());
        found.map_err(|e| e.to_string())
    }

    #[test]
    fn names_that_lead_there_are_refused() {
        let link = "169.254.169.254:80";
        let mapped = "[::ffff:169.254.169.254]:80";
        let fine = "192.0.2.1:80".to_owned();
        assert_eq!(found(&[link, &fine, mapped]), Ok(vec![fine]));
        assert!(found(&[link, mapped]).unwrap_err().contains(REFUSED));
    }
}
