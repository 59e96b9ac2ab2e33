//! The contract that every runner has to fulfil.

use std::time::Duration;

use windlass::runner::{LINE_BYTES, OutputError, Runner, StepSpec, StepState, Stream, Target};

use crate::runner::{ended, exit, portion, read, run, running, step, texts};

/// A step in the form that the runner expects.
fn made(runner: &dyn Runner, image: &str, script: &str) -> StepSpec {
    let step = step(image, script);
    match runner.target() {
        Target::Docker | Target::Process | Target::Agent(_) => step,
        Target::Kubernetes(_) => crate::kubernetes::pod(step),
    }
}

/// Whether the runner knows the exit code of a step that it stopped, and the stream of each line.
fn remembers(runner: &dyn Runner) -> bool {
    !matches!(runner.target(), Target::Kubernetes(_))
}

/// Waits until the runner no longer knows a step; a cluster deletes it only after it has ended.
async fn gone(runner: &dyn Runner, name: &str) {
    for _ in 0..1200 {
        if runner.poll(name).await.unwrap() == StepState::Unknown {
            return;
        }
        assert!(!remembers(runner), "{name} is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is still there");
}

pub(crate) async fn conforms(runner: &dyn Runner, image: &str) {
    nothing_is_known_of_what_was_never_started(runner).await;
    output_and_exit_codes(runner, image).await;
    starting_twice_is_starting_once(runner, image).await;
    the_environment_is_what_was_given(runner, image).await;
    lines_are_read_again(runner, image).await;
    a_large_log_is_whole(runner, image).await;
    lines_are_whole(runner, image).await;
    times_are_those_of_the_runner(runner, image).await;
    lines_come_while_it_runs(runner, image).await;
    stopping(runner, image).await;
    what_cannot_start_says_why(runner, image).await;
    outputs_are_read_when_the_step_has_ended(runner, image).await;
    assert_eq!(runner.place().await.unwrap(), runner.place().await.unwrap());
}

/// Outputs are written to the official path or to the path in the variable; an output that is too long is cut, visibly.
async fn outputs_are_read_when_the_step_has_ended(runner: &dyn Runner, image: &str) {
    let scripts = [
        ("echo '{\"a\": 1}' > /qovery-output/qovery-output.json", Some("{\"a\": 1}\n")),
        ("echo '{}' > \"$WINDLASS_OUTPUT_FILE\"", Some("{}\n")),
        ("true", None),
    ];
    for (script, expected) in scripts {
        let step = made(runner, image, script);
        runner.start(&step).await.unwrap();
        assert_eq!(ended(runner, &step.name).await, exit(0), "{script}");
        let output = runner.output(&step.name, windlass::runner::OUTPUT_FILE, runner.most_output()).await.unwrap();
        assert_eq!(output.as_deref().map(String::from_utf8_lossy).as_deref(), expected, "{script}");
        runner.remove(&step.name).await.unwrap();
    }
    if remembers(runner) {
        outputs_are_files_of_the_run(runner, image).await;
    }
    let step = made(runner, image, "head -c 2000000 /dev/zero > /qovery-output/qovery-output.json");
    runner.start(&step).await.unwrap();
    assert_eq!(ended(runner, &step.name).await, exit(0));
    let output = runner.output(&step.name, windlass::runner::OUTPUT_FILE, runner.most_output()).await.unwrap().unwrap();
    assert_eq!(output.len() as u64, runner.most_output() + 1);
    runner.remove(&step.name).await.unwrap();
}

/// A symbolic link is followed inside the run's own files. What cannot be read is refused at once, by its name.
async fn outputs_are_files_of_the_run(runner: &dyn Runner, image: &str) {
    let nowhere = "is a symbolic link that leads nowhere";
    for (script, expected) in [
        ("cd \"${WINDLASS_OUTPUT_FILE%/*}\" && echo '{}' > real && ln -s real \"$WINDLASS_OUTPUT_FILE\"", Ok("{}\n")),
        (
            "cd \"${WINDLASS_OUTPUT_FILE%/*}\" && mkdir a && echo 1 > b && ln -s ../b a/c && ln -s a/c \"$WINDLASS_OUTPUT_FILE\"",
            Ok("1\n"),
        ),
        ("mkdir \"$WINDLASS_OUTPUT_FILE\"", Err("is a folder")),
        ("ln -s nowhere \"$WINDLASS_OUTPUT_FILE\"", Err(nowhere)),
        ("mkfifo \"$WINDLASS_OUTPUT_FILE\"", Err("is not a regular file")),
    ] {
        let step = made(runner, image, script);
        runner.start(&step).await.unwrap();
        assert_eq!(ended(runner, &step.name).await, exit(0), "{script}");
        let output = runner.output(&step.name, windlass::runner::OUTPUT_FILE, 1000).await;
        match (output, expected) {
            (Ok(content), Ok(expected)) => assert_eq!(content.as_deref(), Some(expected.as_bytes()), "{script}"),
            (Err(OutputError::Refused(reason)), Err(expected)) => {
                assert_eq!(reason, format!("qovery-output.json {expected}"), "{script}");
            }
            (output, expected) => panic!("{script}: {output:?} instead of {expected:?}"),
        }
        runner.remove(&step.name).await.unwrap();
    }
}

/// The end of a script whose whole output counts. A busy node of Kubernetes loses what is still in the pipe of a container that ends:
/// its log then ends in the middle of a line.
fn stored(runner: &dyn Runner) -> &'static str {
    if remembers(runner) { "" } else { "; sleep 3" }
}

async fn nothing_is_known_of_what_was_never_started(runner: &dyn Runner) {
    let name = "windlass-test-never";
    assert_eq!(runner.poll(name).await.unwrap(), StepState::Unknown);
    assert!(runner.logs(name, 0, 10).await.unwrap().end);
    runner.stop(name, Duration::ZERO).await.unwrap();
    runner.remove(name).await.unwrap();
}

async fn output_and_exit_codes(runner: &dyn Runner, image: &str) {
    // A node of Kubernetes keeps one log, and glues what follows to a line without an end: the pause lets it store the lines before.
    let script = format!("echo out; echo; sleep 1; printf 'no newline' >&2{}; exit 3", stored(runner));
    let (progress, lines) = run(runner, &made(runner, image, &script)).await;
    assert_eq!(progress, exit(3));
    let of =
        |stream| lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect::<Vec<_>>();
    let (plain, errors) = (of(Stream::Stdout), of(Stream::Stderr));
    match remembers(runner) {
        true => assert_eq!((plain, errors), (vec!["out", ""], vec!["no newline"])),
        false => assert_eq!(plain, ["out", "", "no newline"]),
    }
    assert!(lines.iter().all(|line| (chrono::Utc::now() - line.at).num_seconds().abs() < 120), "{lines:?}");
    assert_eq!(run(runner, &made(runner, image, "true")).await.0, exit(0));
    let (progress, _) = run(runner, &made(runner, image, "sh -c 'kill -9 $$'; exit $?")).await;
    assert!(matches!(progress, StepState::Exited { exit_code: 137, .. }), "{progress:?}");
}

async fn starting_twice_is_starting_once(runner: &dyn Runner, image: &str) {
    let spec = made(runner, image, "echo once");
    for _ in 0..3 {
        runner.start(&spec).await.unwrap();
    }
    assert_eq!(ended(runner, &spec.name).await, exit(0));
    runner.start(&spec).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(ended(runner, &spec.name).await, exit(0));
    assert!(runner.list().await.unwrap().contains(&spec.name));
    assert_eq!(texts(&read(runner, &spec.name, 0, 10).await), ["once"]);
    runner.remove(&spec.name).await.unwrap();
    if remembers(runner) {
        assert!(!runner.list().await.unwrap().contains(&spec.name));
    }
    gone(runner, &spec.name).await;
}

async fn the_environment_is_what_was_given(runner: &dyn Runner, image: &str) {
    let mut spec = made(runner, image, "echo \"$GREETING|$CARGO_MANIFEST_DIR|$1|$2\"");
    spec.arguments.extend(["x".into(), "two words".into(), "$HOME".into()]);
    let (_, lines) = run(runner, &spec).await;
    assert_eq!(texts(&lines), ["hello world||two words|$HOME"]);
}

/// Lines that were read but not stored are read again.
async fn lines_are_read_again(runner: &dyn Runner, image: &str) {
    let script = format!("i=0; while [ $i -lt 30 ]; do echo $i; i=$((i+1)); done{}", stored(runner));
    let spec = made(runner, image, &script);
    runner.start(&spec).await.unwrap();
    assert_eq!(ended(runner, &spec.name).await, exit(0));
    for (skip, limit) in [(0, 10), (7, 10), (17, 3), (17, 30)] {
        let lines = portion(runner, &spec.name, skip, limit).await.lines;
        let expected: Vec<String> = (skip..30).take(limit).map(|number| number.to_string()).collect();
        assert_eq!(texts(&lines), expected, "{limit} after {skip}");
    }
    runner.remove(&spec.name).await.unwrap();
}

async fn a_large_log_is_whole(runner: &dyn Runner, image: &str) {
    let script = format!(
        "i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done; head -c 40000 /dev/zero | tr '\\0' x{}",
        stored(runner)
    );
    let spec = made(runner, image, &script);
    runner.start(&spec).await.unwrap();
    running(runner, &spec.name).await;
    let mut lines = Vec::new();
    // Read while the step writes, as the engine does: the step may block until its lines are read.
    loop {
        let chunk = portion(runner, &spec.name, lines.len() as u64, 700).await;
        lines.extend(chunk.lines);
        if chunk.end {
            break;
        }
    }
    assert_eq!(ended(runner, &spec.name).await, exit(0));
    let expected: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
    let all = texts(&lines);
    let wrong = expected.iter().zip(&all).position(|(expected, text)| expected != text);
    assert_eq!(
        wrong.map(|at| all[at.saturating_sub(1)..].iter().take(3).collect::<Vec<_>>()),
        None,
        "of {}",
        all.len()
    );
    let rest: String = all.get(20_000..).unwrap_or_default().concat();
    assert_eq!((rest.len(), rest.replace('x', "").len()), (40_000, 0));
    assert!(lines.iter().all(|line| line.text.len() <= windlass::runner::LINE_BYTES));
    runner.remove(&spec.name).await.unwrap();
}

/// Lines are not split where an engine or a pipe splits them, neither are characters; and none is added.
async fn lines_are_whole(runner: &dyn Runner, image: &str) {
    let script = "head -c 16384 /dev/zero | tr '\\0' a; echo; head -c 40000 /dev/zero | tr '\\0' b; echo; \
         printf x; i=0; while [ $i -lt 12000 ]; do printf '\\303\\251'; i=$((i+1)); done; echo; \
         printf '1 %%\\r2 %%\\r3 %%\\n'; head -c 1048580 /dev/zero | tr '\\0' c; echo; echo end";
    let script = format!("{script}{}", stored(runner));
    let (_, lines) = run(runner, &made(runner, image, &script)).await;
    let expected = [
        "a".repeat(16_384),
        "b".repeat(40_000),
        format!("x{}", "\u{e9}".repeat(12_000)),
        "1 %".into(),
        "2 %".into(),
        "3 %".into(),
        "c".repeat(LINE_BYTES),
        "cccc".into(),
        "end".into(),
    ];
    let sizes =
        |texts: &[&str]| texts.iter().map(|text| (text.len(), text.get(..3).map(str::to_owned))).collect::<Vec<_>>();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(sizes(&texts(&lines)), sizes(&expected));
    assert!(texts(&lines) == expected, "a line has other characters");
    assert!(lines.iter().all(|line| line.open == (line.text.len() == LINE_BYTES)));
}

async fn times_are_those_of_the_runner(runner: &dyn Runner, image: &str) {
    let spec = made(runner, image, "sleep 1");
    let begin = chrono::Utc::now();
    runner.start(&spec).await.unwrap();
    running(runner, &spec.name).await;
    let early = runner.times(&spec.name).await.unwrap();
    // On a slow machine it may have ended before its times were asked for.
    if runner.poll(&spec.name).await.unwrap() == StepState::Running {
        assert_eq!(early.finished_at, None);
    }
    ended(runner, &spec.name).await;
    let times = runner.times(&spec.name).await.unwrap();
    let (started, finished) = (times.started_at.unwrap(), times.finished_at.unwrap());
    let length = (finished - started).num_milliseconds();
    let second = chrono::TimeDelta::seconds(1);
    // A cluster reports whole seconds.
    assert!(begin - second <= started && finished <= chrono::Utc::now() && (900..5000).contains(&length), "{times:?}");
    runner.remove(&spec.name).await.unwrap();
}

async fn lines_come_while_it_runs(runner: &dyn Runner, image: &str) {
    let spec = made(runner, image, "echo early; sleep 30");
    runner.start(&spec).await.unwrap();
    running(runner, &spec.name).await;
    let mut lines = Vec::new();
    for _ in 0..100 {
        let chunk = runner.logs(&spec.name, 0, 10).await.unwrap();
        assert!(!chunk.end);
        lines = chunk.lines;
        if !lines.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(texts(&lines), ["early"]);
    runner.remove(&spec.name).await.unwrap();
    gone(runner, &spec.name).await;
}

async fn stopping(runner: &dyn Runner, image: &str) {
    let graceful = made(runner, image, "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.1; done");
    let deaf = made(runner, image, "trap '' TERM; echo ready; while :; do sleep 0.1; done");
    for (spec, expected) in [(graceful, exit(7)), (deaf, StepState::Exited { exit_code: 137, reason: None })] {
        runner.start(&spec).await.unwrap();
        running(runner, &spec.name).await;
        while runner.logs(&spec.name, 0, 1).await.unwrap().lines.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for _ in 0..2 {
            runner.stop(&spec.name, Duration::from_secs(2)).await.unwrap();
        }
        if !remembers(runner) {
            gone(runner, &spec.name).await;
            let lines = read(runner, &spec.name, 0, 10).await;
            assert_eq!(texts(&lines).contains(&"bye"), expected == exit(7), "{lines:?}");
            runner.remove(&spec.name).await.unwrap();
            continue;
        }
        let StepState::Exited { exit_code, .. } = ended(runner, &spec.name).await else { panic!() };
        assert_eq!(StepState::Exited { exit_code, reason: None }, expected);
        runner.remove(&spec.name).await.unwrap();
    }
}

async fn what_cannot_start_says_why(runner: &dyn Runner, image: &str) {
    let spec =
        StepSpec { entrypoint: Some("/no/such/program".into()), arguments: Vec::new(), ..made(runner, image, "") };
    runner.start(&spec).await.unwrap();
    let progress = ended(runner, &spec.name).await;
    let StepState::CannotStart { reason } = &progress else { panic!("{progress:?}") };
    assert!(reason.contains("/no/such/program"), "{reason}");
    runner.remove(&spec.name).await.unwrap();
}
