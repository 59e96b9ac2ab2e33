//! The shared state of the server. Building it starts nothing.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicI32;

use entity::id::JobId;
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::access::authenticate::Authenticator;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::liveness::certificate::CertificateFault;
use crate::liveness::clock_watch::ClockWatch;
use crate::liveness::fence::Fence;
use crate::liveness::passes::Setbacks;
use crate::liveness::ping_rate::PingRates;
use crate::liveness::probe::Probe;
use crate::liveness::pulse::Pulse;
use crate::liveness::shutdown::Shutdown;
use crate::liveness::visits::Visits;
use crate::liveness::wake::Wake;
use crate::observe::metrics::Metrics;
use crate::runner::Runners;
use crate::runner::terraform::toolbox::Toolbox;
use crate::secret::KeyRing;
use crate::store::job::{JobAnswers, RunSubject};
use crate::store::run::{HandOverRequest, QueueWalk, RunEnding, SharedActivity};
use crate::store::together::Together;
use crate::store::workspace::PlanDigests;

/// The state that handlers and the engine share.
pub struct App {
    pub db: DatabaseConnection,
    /// A connection that only renews the lease of this server.
    pub lease_db: DatabaseConnection,
    /// The answers to `GET /job/{jobId}` that are kept.
    pub job_answers: JobAnswers,
    /// What has happened to runs, for pages that are open.
    pub activity: SharedActivity,
    pub clock: Clock,
    pub config: Config,
    pub keys: KeyRing,
    pub runners: Runners,
    pub authenticator: Authenticator,
    pub wake: Wake,
    pub fence: Fence,
    pub metrics: Metrics,
    pub pulse: Pulse,
    pub shutdown: Shutdown,
    pub ping_rates: PingRates,
    pub probe: Probe,
    /// The failures of passes and rows.
    pub setbacks: Setbacks,
    /// Which running runs have to be visited.
    pub visits: Visits,
    /// Which queued runs are looked at next.
    pub queue_walk: QueueWalk,
    /// Jobs whose runs are about to start, which are read together.
    pub subjects: Together<JobId, Result<Option<Box<RunSubject>>>>,
    /// Hand-overs of runs that are stored together: whether the run was still that of its owner.
    pub hand_overs: Together<HandOverRequest, Result<bool>>,
    /// The same for their ends.
    pub endings: Together<RunEnding, Result<bool>>,
    pub clock_watch: ClockWatch,
    pub certificate: CertificateFault,
    /// The number of the last workspace job whose approval is awaited and whose rights were checked.
    pub approvals_checked: AtomicI32,
    /// What is known of the plans that wait.
    pub plan_digests: PlanDigests,
    /// This server process, as the owner of runs.
    pub instance: Uuid,
    pub toolbox: Toolbox,
    /// The address that the server listens on, once it is listening.
    pub address: OnceLock<SocketAddr>,
}

/// The parts that an `App` is built from; the rest starts empty.
pub struct Parts {
    pub db: DatabaseConnection,
    pub lease_db: DatabaseConnection,
    pub clock: Clock,
    pub config: Config,
    pub keys: KeyRing,
    pub runners: Runners,
    pub authenticator: Authenticator,
    /// The instance that is shared with the runners.
    pub wake: Wake,
}

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        let Parts { db, lease_db, clock, config, keys, runners, authenticator, wake } = parts;
        let toolbox = Toolbox::new(config.tools.clone());
        let metrics = Metrics::with_jobs(config.metrics_per_job);
        Self {
            job_answers: JobAnswers::of(&db),
            activity: SharedActivity::default(),
            db,
            lease_db,
            clock,
            config,
            keys,
            runners,
            authenticator,
            visits: Visits::new(wake.clone()),
            queue_walk: QueueWalk::default(),
            subjects: Together::default(),
            hand_overs: Together::default(),
            endings: Together::default(),
            wake,
            fence: Fence::default(),
            metrics,
            pulse: Pulse::default(),
            shutdown: Shutdown::default(),
            ping_rates: PingRates::default(),
            probe: Probe::default(),
            setbacks: Setbacks::default(),
            clock_watch: ClockWatch::default(),
            certificate: CertificateFault::default(),
            approvals_checked: AtomicI32::new(0),
            plan_digests: PlanDigests::default(),
            instance: Uuid::now_v7(),
            toolbox,
            address: OnceLock::new(),
        }
    }
}

impl App {
    /// Applies a change of roles, or the revocation of a credential, at once: to the next request, to open responses, and to workspace
    /// jobs that wait.
    pub fn rights_changed(&self) {
        self.authenticator.forget();
        self.wake.now();
    }

    /// The URL under which clients reach the server, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> String {
        match (&self.config.public_url, self.address.get()) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("{}://{address}", self.config.scheme()),
            (None, None) => format!("{}://{}", self.config.scheme(), self.config.listen),
        }
    }
}
