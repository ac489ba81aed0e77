rule detect:
    """Every tube of a batch under every arm: scores, what was found counted, populations named."""
    input:
        reference_of,
        tubes=f"{RESULTS}/prepare/{{batch}}.tsv",
        laips=f"{RESULTS}/laip/{{batch}}.tsv",
    output:
        burdens=f"{RESULTS}/detect/{{batch}}.tsv",
        limits=f"{RESULTS}/detect/{{batch}}.limits.tsv",
        clusters=f"{RESULTS}/detect/{{batch}}.clusters.tsv",
    log:
        f"{RESULTS}/logs/detect/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detect/{{batch}}.tsv"
    threads: 1
    conda:
        ENVIRONMENT
    params:
        options=OPTIONS,
        code=code_digest("detect"),
        settings=settings_digest(SETTINGS, "reference", "laip", "detect"),
    shell:
        "mrd detect {params.options} --batch {wildcards.batch} --tubes {input.tubes} --laips {input.laips} --threads {threads} 2> {log}"
