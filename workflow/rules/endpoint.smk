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
    conda:
        ENVIRONMENT
    params:
        options=OPTIONS,
        out=subpath(output[0], parent=True),
        code=code_digest("endpoint"),
        settings=settings_digest(SETTINGS, "endpoint", "call"),
        clinical=f"--subjects {quote(SETTINGS.subjects)}" if CLINICAL else "",
    shell:
        "mrd endpoint {params.options} --calls {input.calls} {params.clinical} --out {params.out} 2> {log}"
