//! Logs of the server itself: structured, to standard error, never with secret values; and traces of requests and runs,
//! where a collector is configured.

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

/// Sends what is left when it is dropped.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // What cannot be sent at the end is lost, as it would be later.
            let _sent = provider.shutdown();
        }
    }
}

/// Starts logging; `filter` is a list of `target=level`. With the address of a collector it also sends traces to it, by
/// OTLP over HTTP.
///
/// # Errors
/// When the address of the collector cannot be used.
pub fn start(filter: &str, format: LogFormat, collector: Option<&str>) -> Result<Telemetry> {
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A cluster that is down is told of by its status, not by a line for every try.
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
        // Our own spans only: those of libraries tell nothing of jobs.
        let ours = tracing_subscriber::filter::Targets::new().with_target("windlass", tracing::Level::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer("windlass")).with_filter(ours)
    });
    if let Err(error) = tracing_subscriber::registry().with(lines).with(traces).try_init() {
        eprintln!("logging was already started: {error}");
    }
    Ok(Telemetry(provider))
}

fn provider(collector: &str) -> Result<SdkTracerProvider> {
    // The exporter's own thread has no runtime: requests are sent on this one.
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
