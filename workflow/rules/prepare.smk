rule prepare:
    """FCS files of a batch to cells: read, quality, compensate, transform, gate."""
    input:
        files_of,
    output:
        tubes=f"{RESULTS}/prepare/{{batch}}.tsv",
        qc=f"{RESULTS}/prepare/{{batch}}.qc.tsv",
    log:
        f"{RESULTS}/logs/prepare/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{batch}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("prepare"),
        runtime=runtime("prepare"),
    params:
        options=OPTIONS,
        code=code_digest("prepare"),
        sheet=sheet_of,
        settings=settings_digest(SETTINGS, "prepare"),
    shell:
        "mrd prepare {params.options} --batch {wildcards.batch} --threads {threads} 2> {log}"
