//! The health checks of a job: requests, validation and responses.

use entity::job_spec::{Healthchecks, JobSpec, Probe as StoredProbe, ProbeType as StoredProbeType};
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::{Deserialize, Serialize};

use crate::api::wire;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct TcpProbe {
    pub(super) port: Option<i32>,
    #[serde(default)]
    #[oai(default)]
    pub(super) host: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct HttpProbe {
    #[serde(default)]
    #[oai(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    #[oai(default)]
    pub(super) scheme: Option<String>,
    pub(super) port: Option<i32>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct ExecProbe {
    pub(super) command: Option<Vec<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct GrpcProbe {
    #[serde(default)]
    #[oai(default)]
    pub(super) service: Option<String>,
    pub(super) port: Option<i32>,
}

/// Exactly one key is set; in responses the others are null.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct ProbeType {
    pub(super) tcp: Option<TcpProbe>,
    pub(super) http: Option<HttpProbe>,
    pub(super) exec: Option<ExecProbe>,
    pub(super) grpc: Option<GrpcProbe>,
}

/// Omitted numbers take the official defaults.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
pub(super) struct Probe {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub(super) kind: Option<ProbeType>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) initial_delay_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) period_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) timeout_seconds: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) success_threshold: Option<i32>,
    #[serde(deserialize_with = "wire::optional_number")]
    pub(super) failure_threshold: Option<i32>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, Object)]
#[serde(default)]
#[oai(default, skip_serializing_if_is_none)]
pub(in crate::api) struct Healthcheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readiness_probe: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness_probe: Option<Probe>,
}

impl From<Healthchecks> for Healthcheck {
    fn from(stored: Healthchecks) -> Self {
        let Healthchecks { readiness_probe, liveness_probe } = stored;
        Self { readiness_probe: readiness_probe.map(Probe::from), liveness_probe: liveness_probe.map(Probe::from) }
    }
}

impl From<StoredProbe> for Probe {
    fn from(stored: StoredProbe) -> Self {
        let StoredProbe {
            kind,
            initial_delay_seconds,
            period_seconds,
            timeout_seconds,
            success_threshold,
            failure_threshold,
        } = stored;
        let kind = match kind {
            StoredProbeType::Tcp { port, host } => {
                ProbeType { tcp: Some(TcpProbe { port, host }), ..ProbeType::default() }
            }
            StoredProbeType::Http { path, scheme, port } => {
                let http = HttpProbe { path: Some(path), scheme: Some(scheme), port };
                ProbeType { http: Some(http), ..ProbeType::default() }
            }
            StoredProbeType::Exec { command } => {
                ProbeType { exec: Some(ExecProbe { command: Some(command) }), ..ProbeType::default() }
            }
            StoredProbeType::Grpc { service, port } => {
                ProbeType { grpc: Some(GrpcProbe { service, port }), ..ProbeType::default() }
            }
        };
        Self {
            kind: Some(kind),
            initial_delay_seconds: Some(initial_delay_seconds),
            period_seconds: Some(period_seconds),
            timeout_seconds: Some(timeout_seconds),
            success_threshold: Some(success_threshold),
            failure_threshold: Some(failure_threshold),
        }
    }
}

pub(in crate::api) fn check_healthchecks(
    given: MaybeUndefined<Healthcheck>,
    old: Option<&JobSpec>,
) -> Result<Healthchecks> {
    let Healthcheck { readiness_probe, liveness_probe } = match (given, old) {
        (MaybeUndefined::Value(given), _) => given,
        (MaybeUndefined::Undefined, Some(old)) => return Ok(old.healthchecks.clone()),
        (MaybeUndefined::Undefined | MaybeUndefined::Null, _) => return Ok(Healthchecks::default()),
    };
    let mut faults = Faults::default();
    let mut probe =
        |field: &str, given: Option<Probe>| faults.note(given.map(|given| check_probe(field, given)).transpose());
    let checked = Healthchecks {
        readiness_probe: probe("healthchecks.readiness_probe", readiness_probe),
        liveness_probe: probe("healthchecks.liveness_probe", liveness_probe),
    };
    faults.result().map(|()| checked)
}

fn check_probe(field: &str, given: Probe) -> Result<StoredProbe> {
    let Probe { kind, initial_delay_seconds, period_seconds, timeout_seconds, success_threshold, failure_threshold } =
        given;
    let mut faults = Faults::default();
    let none = StoredProbeType::Exec { command: Vec::new() };
    let kind = faults.note_or(check_probe_type(field, kind.unwrap_or_default()), none);
    let mut number = |key: &str, value: Option<i32>, default, low| {
        faults.note(limits::between(&format!("{field}.{key}"), value.unwrap_or(default), low, i32::MAX))
    };
    let probe = StoredProbe {
        kind,
        initial_delay_seconds: number("initial_delay_seconds", initial_delay_seconds, 30, 0),
        period_seconds: number("period_seconds", period_seconds, 10, 1),
        timeout_seconds: number("timeout_seconds", timeout_seconds, 5, 1),
        success_threshold: number("success_threshold", success_threshold, 1, 1),
        failure_threshold: number("failure_threshold", failure_threshold, 9, 1),
    };
    faults.result().map(|()| probe)
}

fn check_probe_type(field: &str, given: ProbeType) -> Result<StoredProbeType> {
    let port = |port: Option<i32>| {
        port.map(|port| limits::between(&format!("{field}.type.port"), port, 1, 65_535)).transpose()
    };
    match given {
        ProbeType { tcp: Some(tcp), http: None, exec: None, grpc: None } => {
            Ok(StoredProbeType::Tcp { port: port(tcp.port)?, host: tcp.host })
        }
        ProbeType { tcp: None, http: Some(http), exec: None, grpc: None } => Ok(StoredProbeType::Http {
            path: http.path.unwrap_or_else(|| "/".into()),
            scheme: http.scheme.unwrap_or_else(|| "HTTP".into()),
            port: port(http.port)?,
        }),
        ProbeType { tcp: None, http: None, exec: Some(exec), grpc: None } => {
            let command = exec.command.filter(|command| !command.is_empty());
            let command =
                command.ok_or_else(|| Error::invalid(format!("{field}.type.exec.command"), "must not be empty"))?;
            Ok(StoredProbeType::Exec { command: limits::list(&format!("{field}.type.exec.command"), command)? })
        }
        ProbeType { tcp: None, http: None, exec: None, grpc: Some(grpc) } => {
            Ok(StoredProbeType::Grpc { service: grpc.service, port: port(grpc.port)? })
        }
        _ => Err(Error::invalid(format!("{field}.type"), "must have exactly one of tcp, http, exec and grpc")),
    }
}
