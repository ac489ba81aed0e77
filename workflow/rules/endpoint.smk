CLINICAL = [SETTINGS.subjects] if SETTINGS.subjects else []
ENDPOINT = [
    "admrd.csv",
    "admrd.parquet",
    *(["conversion.tsv", "summary.tsv"] if CLINICAL else []),
]


rule endpoint:
    """Calls and clinical dates to the endpoint dataset and the MRD-negativity rate."""
    input:
        CLINICAL,
        calls=f"{RESULTS}/calls.tsv",
    output:
        expand(f"{RESULTS}/endpoint/{{name}}", name=ENDPOINT),
    log:
        f"{RESULTS}/logs/endpoint.log",
    benchmark:
        f"{RESULTS}/benchmarks/endpoint.tsv"
    params:
        code=code_digest("endpoint"),
        settings=settings_digest(SETTINGS, "endpoint", "call"),
        clinical=f"--subjects {SETTINGS.subjects}" if CLINICAL else "",
    shell:
        "mrd endpoint {OPTIONS} --calls {input.calls} {params.clinical} --out {RESULTS}/endpoint 2> {log}"
