//! Counts open connections, altogether and by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::limits_of_config::HttpLimits;
use crate::observe::metrics::Metrics;

#[derive(Default)]
struct Counts {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// The open connections of this server.
#[derive(Clone)]
pub(super) struct OpenConnections {
    counts: Arc<Mutex<Counts>>,
    most: u32,
    most_per_address: u32,
    metrics: Metrics,
}

/// A place for a connection, which is free again when this is dropped.
pub(super) struct Place {
    of: OpenConnections,
    address: IpAddr,
}

impl OpenConnections {
    pub(super) fn new(limits: &HttpLimits, metrics: Metrics) -> Self {
        let (most, most_per_address) = (limits.connections, limits.connections_per_address);
        Self { counts: Arc::default(), most, most_per_address, metrics }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from this address; `None` if there are enough of them.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let address = host(address);
        let mut counts = self.counts();
        let own = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= self.most || own >= self.most_per_address {
            self.metrics.connection_refused();
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, own + 1);
        self.metrics.set_connections(counts.all);
        Some(Place { of: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        counts.all = counts.all.saturating_sub(1);
        self.of.metrics.set_connections(counts.all);
        match counts.by_address.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(counts.by_address.remove(&self.address)),
        }
    }
}

/// What counts as one address: a host usually has a whole /64 of IPv6 addresses.
fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{HttpLimits, OpenConnections};
    use crate::observe::metrics::{Metrics, QueueDepths};

    #[test]
    fn places_are_bounded_altogether_and_by_address() {
        let any = Duration::from_secs(1);
        let limits = HttpLimits {
            headers: any,
            idle: any,
            body: any,
            body_bytes_per_second: 1,
            send: any,
            connections: 3,
            connections_per_address: 2,
        };
        let metrics = Metrics::default();
        let open = OpenConnections::new(&limits, metrics.clone());
        let enter = |address: &str| open.enter(address.parse().unwrap());
        let first = enter("2001:db8::1");
        let second = enter("2001:db8::ffff:2");
        assert!(first.is_some() && second.is_some());
        assert!(enter("2001:db8::3").is_none(), "the third of a network");
        let other = enter("127.0.0.1");
        assert!(other.is_some());
        assert!(enter("127.0.0.2").is_none(), "the fourth altogether");
        drop(first);
        let again = enter("::ffff:127.0.0.1");
        assert!(again.is_some());
        let text = metrics.text(QueueDepths::default(), &[], 0);
        assert!(text.contains("windlass_http_connections 3\n"), "{text}");
        assert!(text.contains("windlass_http_connections_refused_total 2\n"), "{text}");
        drop((second, other, again));
        assert!(metrics.text(QueueDepths::default(), &[], 0).contains("windlass_http_connections 0\n"));
        assert!(open.counts().by_address.is_empty());
    }
}
