//! Whom to trust on the other end.
//!
//! A Proxmox host has a certificate of its cluster's own making, so the usual way is to pin its SHA-256 fingerprint, which
//! people can compare with what the host's own pages show. There is no way to trust anybody.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::client::Trust;
use crate::{Error, Fingerprint, Result};

/// The TLS side of all connections of a client.
pub(crate) fn client_config(trust: &Trust) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Fingerprints(accepted) if accepted.is_empty() => {
            return Err(Error::parameter("fingerprint", "none given"));
        }
        Trust::Fingerprints(accepted) => Arc::new(Pinned {
            accepted: accepted.clone(),
            provider: provider.clone(),
        }),
        Trust::CaFile(path) => {
            let pem = std::fs::read(path).map_err(|error| {
                Error::parameter("ca_file", format!("{}: {error}", path.display()))
            })?;
            let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
                .collect::<Result<_, _>>()
                .map_err(|error| {
                    Error::parameter("ca_file", format!("{}: {error}", path.display()))
                })?;
            issued_by("ca_file", certificates, provider.clone())?
        }
        Trust::System => issued_by(
            "trust",
            rustls_native_certs::load_native_certs().certs,
            provider.clone(),
        )?,
    };
    configure(verifier, provider)
}

pub(crate) fn configure(
    verifier: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::parameter("tls", error.to_string()))?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // pveproxy speaks nothing else.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The usual verification, name and dates included, against these roots.
fn issued_by(
    parameter: &str,
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let mut roots = RootCertStore::empty();
    // A system's store may hold certificates that are too odd to be roots; those trust nobody.
    roots.add_parsable_certificates(certificates);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| Error::parameter(parameter, format!("no usable certificate: {error}")))?;
    Ok(verifier)
}

/// Accepts exactly these end-entity certificates, by whomever issued and for whichever name.
#[derive(Debug)]
struct Pinned {
    accepted: Vec<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

/// Seen in place of a pinned certificate.
#[derive(Debug, thiserror::Error)]
#[error("its certificate has the fingerprint {seen}, which is not the pinned one")]
struct OtherCertificate {
    seen: Fingerprint,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = Fingerprint::of(end_entity);
        if self.accepted.contains(&seen) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(OtherCertificate { seen }))).into())
    }

    // A certificate is public: only the signature proves that the host has its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusting_nobody_is_an_error_at_once() {
        assert!(matches!(
            client_config(&Trust::Fingerprints(Vec::new())),
            Err(Error::Invalid { .. })
        ));
        assert!(matches!(
            client_config(&Trust::CaFile("/nonexistent/ca.pem".into())),
            Err(Error::Invalid { .. })
        ));
    }
}
