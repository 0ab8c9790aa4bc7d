/** The package's version, put in at build time so that no file is read at start-up. */
declare const __DSC_AUDIT_VERSION__: string;
