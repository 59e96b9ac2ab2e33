//! The events that a webhook can name: the official ones and those of ours, which official clients do not know.

use entity::webhook::{OwnEvent, WebhookEvent};
use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationWebhookEventName {
    DeploymentStarted,
    DeploymentCancelled,
    DeploymentFailure,
    DeploymentSuccessful,
    RunFailed,
    RunRecovered,
    RunSucceeded,
    TimeMissed,
    ScheduleRecovered,
    RunTooLong,
    RunTooLongEnded,
    ApprovalWaiting,
    ApprovalDecided,
}

impl OrganizationWebhookEventName {
    /// The official events, and those of ours.
    pub(super) fn parted(names: Vec<Self>) -> (Vec<WebhookEvent>, Vec<OwnEvent>) {
        let (mut official, mut own) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                Self::DeploymentStarted => official.push(WebhookEvent::DeploymentStarted),
                Self::DeploymentCancelled => official.push(WebhookEvent::DeploymentCancelled),
                Self::DeploymentFailure => official.push(WebhookEvent::DeploymentFailure),
                Self::DeploymentSuccessful => official.push(WebhookEvent::DeploymentSuccessful),
                Self::RunFailed => own.push(OwnEvent::RunFailed),
                Self::RunRecovered => own.push(OwnEvent::RunRecovered),
                Self::RunSucceeded => own.push(OwnEvent::RunSucceeded),
                Self::TimeMissed => own.push(OwnEvent::TimeMissed),
                Self::ScheduleRecovered => own.push(OwnEvent::ScheduleRecovered),
                Self::RunTooLong => own.push(OwnEvent::RunTooLong),
                Self::RunTooLongEnded => own.push(OwnEvent::RunTooLongEnded),
                Self::ApprovalWaiting => own.push(OwnEvent::ApprovalWaiting),
                Self::ApprovalDecided => own.push(OwnEvent::ApprovalDecided),
            }
        }
        (official, own)
    }
}

impl From<WebhookEvent> for OrganizationWebhookEventName {
    fn from(event: WebhookEvent) -> Self {
        match event {
            WebhookEvent::DeploymentStarted => Self::DeploymentStarted,
            WebhookEvent::DeploymentCancelled => Self::DeploymentCancelled,
            WebhookEvent::DeploymentFailure => Self::DeploymentFailure,
            WebhookEvent::DeploymentSuccessful => Self::DeploymentSuccessful,
        }
    }
}

impl From<OwnEvent> for OrganizationWebhookEventName {
    fn from(event: OwnEvent) -> Self {
        match event {
            OwnEvent::RunFailed => Self::RunFailed,
            OwnEvent::RunRecovered => Self::RunRecovered,
            OwnEvent::RunSucceeded => Self::RunSucceeded,
            OwnEvent::TimeMissed => Self::TimeMissed,
            OwnEvent::ScheduleRecovered => Self::ScheduleRecovered,
            OwnEvent::RunTooLong => Self::RunTooLong,
            OwnEvent::RunTooLongEnded => Self::RunTooLongEnded,
            OwnEvent::ApprovalWaiting => Self::ApprovalWaiting,
            OwnEvent::ApprovalDecided => Self::ApprovalDecided,
        }
    }
}
