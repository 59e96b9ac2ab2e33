//! What a runner reads of the logs of containers: through a proxy in front of the Docker engine, which counts, and breaks connections.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use windlass::clock::Clock;
use windlass::liveness::wake::Wake;
use windlass::runner::docker::DockerRunner;
use windlass::runner::{Line, Runner};

use crate::runner::{docker_image, ended, exit, portion, running, step, texts};

/// What the proxy does, and what it has seen.
#[derive(Default)]
struct Seen {
    /// The queries of the requests for logs.
    queries: Mutex<Vec<String>>,
    /// The bytes of the logs that the engine sent.
    log_bytes: AtomicU64,
    /// How many answers with logs are broken, each after this many bytes.
    breaks: AtomicUsize,
    break_after: u64,
}

/// Passes on what a client and the engine send, until one of them closes the connection or the proxy breaks it.
async fn pass_on(client: UnixStream, seen: Arc<Seen>) -> std::io::Result<()> {
    let engine = UnixStream::connect("/var/run/docker.sock").await?;
    let ((mut from_client, mut to_client), (mut from_engine, mut to_engine)) =
        (client.into_split(), engine.into_split());
    let (mut question, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let (mut is_log, mut sent) = (false, 0);
    loop {
        tokio::select! {
            count = from_client.read(&mut question) => {
                let bytes = &question[..count?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let text = String::from_utf8_lossy(bytes);
                let query = text.split_once("/logs?").and_then(|(_, rest)| rest.split(' ').next());
                (is_log, sent) = (query.is_some(), 0);
                seen.queries.lock().unwrap().extend(query.map(str::to_owned));
                to_engine.write_all(bytes).await?;
            }
            count = from_engine.read(&mut answer) => {
                let bytes = &answer[..count?];
                if bytes.is_empty() {
                    return Ok(());
                }
                to_client.write_all(bytes).await?;
                sent += bytes.len() as u64;
                if is_log {
                    seen.log_bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                    let left = |left: usize| left.checked_sub(1);
                    if sent > seen.break_after
                        && seen.breaks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
                    {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// A runner that reaches the engine through a proxy.
fn through_proxy(folder: &Path, seen: &Arc<Seen>) -> DockerRunner {
    let path = folder.join("engine.sock");
    let (listener, seen) = (UnixListener::bind(&path).unwrap(), Arc::clone(seen));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, Arc::clone(&seen)));
        }
    });
    DockerRunner::new(Some(&format!("unix://{}", path.display())), Clock::system(), Wake::default())
}

/// Reads a log while its container runs, and tells the runner what is stored, as the server does.
async fn read_while_it_runs(runner: &DockerRunner, name: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        let is_over = !matches!(runner.poll(name).await, Ok(windlass::runner::StepState::Running));
        let taken = portion(runner, name, lines.len() as u64, 10_000).await;
        lines.extend(taken.lines);
        runner.lines_stored(name, lines.len() as u64);
        if taken.end && is_over {
            return lines;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A log is not read again when its container ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_from_the_engine_once() {
    let Some(image) = docker_image() else { return };
    let (folder, seen) = (tempfile::tempdir().unwrap(), Arc::new(Seen::default()));
    let runner = through_proxy(folder.path(), &seen);
    let text = "x".repeat(100);
    let spec = step(&image, &format!("yes {text} | head -n 20000; sleep 1; echo end; exit 3"));
    runner.start(&spec).await.unwrap();
    running(&runner, &spec.name).await;
    let lines = read_while_it_runs(&runner, &spec.name).await;
    assert_eq!(ended(&runner, &spec.name).await, exit(3));
    assert_eq!(texts(&lines), [vec![text.as_str(); 20_000], vec!["end"]].concat());
    // The engine adds a header of 8 bytes and a time of 31 to each line, and sends the lines in chunks.
    let (read, once) = (seen.log_bytes.load(Ordering::SeqCst), 20_000 * (8 + 31 + 101));
    let queries = seen.queries.lock().unwrap().clone();
    let whole = queries.iter().filter(|query| !query.contains("tail=1") && query.contains("since=0")).count();
    assert!(whole == 1 && read >= once, "{read} bytes were read of a log of {once}: {queries:?}");
    // Unless the engine has ended the stream before the log ended.
    assert!(queries.len() > 2 || read < once * 3 / 2, "{read} bytes were read of a log of {once}: {queries:?}");
    runner.remove(&spec.name).await.unwrap();
}

/// Wherever a connection breaks, no line is lost or read twice, on either stream.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_stream_breaks_is_read_on() {
    let Some(image) = docker_image() else { return };
    let seen = Arc::new(Seen { breaks: AtomicUsize::new(4), break_after: 50_000, ..Seen::default() });
    let folder = tempfile::tempdir().unwrap();
    let runner = through_proxy(folder.path(), &seen);
    let script = "i=0; while [ $i -lt 6000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; \
         head -c 200000 /dev/zero | tr '\\0' x; echo; exit 3";
    let spec = step(&image, script);
    runner.start(&spec).await.unwrap();
    running(&runner, &spec.name).await;
    let lines = read_while_it_runs(&runner, &spec.name).await;
    assert_eq!(seen.breaks.load(Ordering::SeqCst), 0, "not every connection was broken");
    let of = |word: &str| -> Vec<&str> { texts(&lines).into_iter().filter(|text| text.starts_with(word)).collect() };
    for word in ["out", "err"] {
        let expected: Vec<String> = (0..6000).map(|number| format!("{word} {number}")).collect();
        assert_eq!(of(word), expected);
    }
    assert_eq!(of("x").iter().map(|text| text.len()).collect::<Vec<_>>(), [200_000]);
    assert_eq!(lines.len(), 12_001);
    runner.remove(&spec.name).await.unwrap();
}
