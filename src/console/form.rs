//! The fields of a form. It carries the token of its session, so that no other site can send it.

use std::collections::BTreeMap;

use poem::http::header;
use poem::{FromRequest, Request, RequestBody};

use super::viewer::Viewer;
use crate::error::{Error, Result};
use crate::input::stored_text;

/// The name of the field with the token.
pub(super) const TOKEN: &str = "csrf";

/// The largest form, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The most fields of a form.
const FIELDS: usize = 1000;

/// The fields of a form that was sent from one of our own pages.
pub(super) struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// The text of a field; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// The text of a field without spaces around it; none if nothing is left.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// All values of a name, such as those of boxes.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a box is checked.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn parse(text: &[u8]) -> Result<Self> {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (count, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if count >= FIELDS {
                return Err(Error::invalid("", format!("a form has at most {FIELDS} fields")));
            }
            stored_text::check(&name, &value)?;
            // Browsers send line breaks of text areas as CR LF.
            fields.entry(name.into_owned()).or_default().push(value.replace("\r\n", "\n"));
        }
        Ok(Self(fields))
    }
}

impl<'a> FromRequest<'a> for Form {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let viewer = Viewer::from_request(request, body).await?;
        let form = read(request, body).await?;
        if form.text(TOKEN) != viewer.csrf {
            return Err(Error::Forbidden(
                "this form is from another session: go back, load the page again, and send it from there",
            )
            .into());
        }
        Ok(form)
    }
}

/// The fields of a form without a session, such as that of the sign-in.
pub(super) struct OpenForm(pub(super) Form);

impl<'a> FromRequest<'a> for OpenForm {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(read(request, body).await?))
    }
}

/// Reads the body of a form. A browser says from which site it comes.
async fn read(request: &Request, body: &mut RequestBody) -> poem::Result<Form> {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(Error::Forbidden("forms of other sites are refused: open the page of the console itself").into());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Error::invalid("Content-Type", "must be application/x-www-form-urlencoded").into());
    }
    let bytes = body.take()?.into_bytes_limit(LARGEST).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => poem::Error::from(Error::TooLarge { limit_bytes: LARGEST }),
        other => other.into(),
    })?;
    Ok(Form::parse(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Form};

    #[test]
    fn fields_of_a_form() {
        let form = Form::parse(b"name=a+b&text=one%0D%0Atwo&blank=+&on=").unwrap();
        assert_eq!((form.text("name"), form.text("missing")), ("a b", ""));
        assert_eq!(form.text("text"), "one\ntwo");
        assert_eq!((form.given("blank"), form.given("name")), (None, Some("a b")));
        assert!(form.has("on") && !form.has("off"));
        assert_eq!((form.all("name"), form.all("missing").len()), (&["a b".to_owned()][..], 0));
        assert!(Form::parse(b"name=%00").is_err());
        assert!(Form::parse("a=1&".repeat(FIELDS + 1).as_bytes()).is_err());
    }
}
