/** The package's version, put in at build time so that no file is read at start-up. */
declare const __DSC_AUDIT_VERSION__: string;

/** A fingerprint of the runtime's code: profiles that were calibrated with another one are stale. */
declare const __DSC_AUDIT_RUNTIME__: string;
