//! Structured logs on standard error, without secret values, and traces of requests and runs for a configured
//! collector.

use std::io::IsTerminal as _;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::LogFormat;
use crate::error::{Error, Result};

/// Flushes pending traces on drop.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // Traces that cannot be sent at shutdown are lost.
            let _sent = provider.shutdown();
        }
    }
}

/// Starts logging; `filter` is a list of `target=level`. With the URL of a collector, also sends traces to it by OTLP
/// over HTTP.
///
/// # Errors
/// When the URL of the collector is invalid.
pub fn start(filter: &str, format: LogFormat, collector: Option<&str>) -> Result<Telemetry> {
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // The status of a cluster already reports that it is down; a log line for every attempt would be noise.
    if let Ok(quiet) = "kube_client=off".parse() {
        filter = filter.add_directive(quiet);
    }
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let provider = collector.map(provider).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        // Only our own spans: those of libraries say nothing about jobs.
        let ours = tracing_subscriber::filter::Targets::new().with_target("windlass", tracing::Level::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer("windlass")).with_filter(ours)
    });
    if let Err(error) = tracing_subscriber::registry().with(lines).with(traces).try_init() {
        eprintln!("cannot start logging: {error}");
    }
    Ok(Telemetry(provider))
}

fn provider(collector: &str) -> Result<SdkTracerProvider> {
    // The exporter's thread has no runtime, so requests are sent on this one.
    let client = Client { client: reqwest::Client::new(), runtime: tokio::runtime::Handle::current() };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()
        .map_err(Error::internal)?;
    let resource = Resource::builder().with_service_name("windlass").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> std::result::Result<http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let sent = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send();
        let answered = self.runtime.spawn(async move {
            let answer = sent.await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let (status, bytes) = answered.await??;
        Ok(http::Response::builder().status(status).body(bytes)?)
    }
}
